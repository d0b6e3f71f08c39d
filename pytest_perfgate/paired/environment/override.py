"""Redirects imports to one side; becomes the ``sitecustomize.py`` of its bootstrap folder, so it stays tiny.

Every process that is started with the bootstrap folder on its path runs this, also those that a test starts: it imports
nothing that a Python has not loaded anyway.  It is appended a call of :func:`install` and never imported by us.
"""

import sys
from _frozen_importlib import ModuleSpec, module_from_spec
from _frozen_importlib_external import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Override:
    """Answers for the roots, and for everything below them, from one side only.

    Args:
        side: How the side is called in messages.
        roots: Root -> folder that holds it; None when the side lacks it.
        parents: Namespace above a root -> the folders that hold its part of this side.
        aside: Module of tests inside a root -> folder of the working tree that holds it.
        others: What the paths of other copies start with, which must not stand in for a missing module.
        trees: The folder of this side and that of the other side.
        metadata: Folder with the side's own ``*.dist-info``, or empty.
    """

    def __init__(  # noqa: PLR0917  # written out by one function and read by nobody
        self,
        side: str,
        roots: "dict[str, str | None]",
        parents: "dict[str, list[str]]",
        aside: "dict[str, str]",
        others: "tuple[str, ...]",
        trees: "tuple[str, str]",
        metadata: str,
    ) -> None:
        self.side, self.roots, self.parents, self.aside = side, roots, parents, aside
        self.others, self.trees, self.metadata = others, trees, metadata
        self.tops = {root.partition(".")[0] for root in roots}

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Find *name* on this side if it is one of ours; stay the first that is asked."""
        if sys.meta_path[0] is not self:
            sys.meta_path.remove(self)
            list.insert(sys.meta_path, 0, self)
        if name.partition(".")[0] not in self.tops:
            return None
        if name in self.parents:
            return self._elsewhere(name, path, target) or PathFinder.find_spec(name, self.parents[name], target)
        root = name
        while root:
            if root in self.aside:  # what is below is found by anybody, and rewritten by pytest
                return self._elsewhere(name, [self.aside[root]], target) if root == name else None
            if root in self.roots:
                return self._elsewhere_by_file(name, path) or self._ours(name, root, path, target)
            root = root.rpartition(".")[0]
        return None

    def _ours(self, name: str, root: str, path: "Any", target: "Any") -> "Any":
        if name != root:
            return PathFinder.find_spec(name, path, target) or self._below(name, path, target)
        folder = self.roots[name]
        return (PathFinder.find_spec(name, [folder], target) if folder else None) or self._refuse(name)

    def _elsewhere_by_file(self, name: str, path: "Any") -> "Any":
        """Answer pytest in its mode ``importlib``, which insists on the file of a package, with the side's package."""
        above = sys.modules.get(name.rpartition(".")[0])
        if path is getattr(above, "__path__", None) or not path or str(path[0]).startswith(self.trees[0]):
            return None
        spec = PathFinder.find_spec(name, path) or PathFinder.find_spec(f"{name}.__init__", path)
        return spec and ModuleSpec(name, StandIn(), origin=spec.origin)  # type: ignore[arg-type]  # no base: no import

    def _below(self, name: str, path: "Any", target: "Any") -> "Any":
        """Let a package's own hooks answer, but nobody who would take the module from another copy."""
        spec = self._elsewhere(name, path, target)
        if spec is not None:
            return self._refuse(name) if str(spec.origin or "").startswith(self.others) else spec
        there = [entry.replace(*self.trees) for entry in path or ()]
        return self._refuse(name) if PathFinder.find_spec(name, there) else None

    def _elsewhere(self, name: str, path: "Any", target: "Any") -> "Any":
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None

    def _refuse(self, name: str) -> "Any":
        raise ModuleNotFoundError(f"No module named {name!r} in {self.side}", name=name)

    def find_distributions(self, context: "Any" = None) -> "Any":
        """Give the side's own metadata before that of the environment."""
        if not self.metadata or "path" in vars(context or object):
            return []
        from importlib.metadata import DistributionFinder, MetadataPathFinder  # noqa: PLC0415

        where = DistributionFinder.Context(name=getattr(context, "name", None), path=[self.metadata])
        return MetadataPathFinder.find_distributions(where)


class StandIn:
    """Loads, in place of the file that was asked for, the module of the same name of the side."""

    @staticmethod
    def create_module(spec: "Any") -> "Any":
        """Import what belongs to the name."""
        __import__(spec.name)
        module = sys.modules[spec.name]
        spec.loader_state = module.__spec__
        return module

    @staticmethod
    def exec_module(module: "Any") -> None:
        """Give back its own specification; it has been executed."""
        module.__spec__ = module.__spec__.loader_state


class Finders(list):  # type: ignore[type-arg]  # what it holds is none of our business
    """The list of finders, at whose beginning pytest and others put theirs: those come second."""

    def insert(self, index: "Any", finder: "Any") -> None:
        """Insert, but never before the first."""
        list.insert(self, index or 1, finder)


def forget(roots: "dict[str, str | None]") -> None:
    """Drop what a ``.pth`` file has imported of *roots* already: it came from the environment."""
    for root in roots:
        if root in sys.modules:
            for name in [known for known in sys.modules if known == root or known.startswith(root + ".")]:
                del sys.modules[name]


def install(here: str, *known: "Any") -> None:
    """Redirect from now on, then run the ``sitecustomize`` that would have been run without us."""
    override = Override(*known)
    forget(override.roots)
    sys.meta_path = Finders([override, *sys.meta_path])
    spec = PathFinder.find_spec("sitecustomize", [entry for entry in sys.path if entry != here])
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)
