"""Makes both sides from what the user named: obtains, completes, builds, compiles and redirects them, and cleans up."""

from __future__ import annotations

import contextlib
import errno
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment.apart import differing, outside
from pytest_perfgate.paired.environment.binaries import share_binaries
from pytest_perfgate.paired.environment.building import build_draft, needs_building
from pytest_perfgate.paired.environment.cache import cache_folder
from pytest_perfgate.paired.environment.contents import compile_both, digest, tests_inside
from pytest_perfgate.paired.environment.draft import Draft
from pytest_perfgate.paired.environment.finder import Redirect, write_bootstrap
from pytest_perfgate.paired.environment.generated import stale_copies, take_generated
from pytest_perfgate.paired.environment.locating import locate_module
from pytest_perfgate.paired.environment.obtain import Order, obtain_both
from pytest_perfgate.paired.environment.project import Locate
from pytest_perfgate.paired.environment.runfolder import run_folder
from pytest_perfgate.paired.environment.sides import Side, Sides


def _quiet(line: str) -> None:
    """Say nothing."""


@contextlib.contextmanager
def prepared(
    against: str,
    *,
    root: Path,
    packages: Sequence[str] = (),
    locate: Locate = locate_module,
    cache: Path | None = None,
    say: Callable[[str], None] = _quiet,
) -> Iterator[Sides]:
    """Lay base and head side by side, ready to be imported, for as long as the context lasts.

    The user's checkout, index and branches are not touched; everything is in one temporary folder, which is removed.

    Args:
        against: What base is: a git revision, ``path:DIR`` or ``dist:REQUIREMENT``.
        root: pytest's rootdir.
        packages: Import names that are compared; empty to find those of the project.
        locate: Says where this environment imports a name from.
        cache: Where builds are kept; None for the user's cache.
        say: Receives lines about what takes long.

    Yields:
        Both sides.

    Raises:
        AgainstError: A side cannot be had; the message says what to do.
    """
    with contextlib.ExitStack() as stack:
        with _explained():
            run = stack.enter_context(run_folder())
            slots = ["0", "1"]
            random.shuffle(slots)  # nothing may depend on which side has which path
            order = Order(
                against=against,
                root=root,
                packages=tuple(packages),
                locate=locate,
                cache=cache or cache_folder(),
                say=say,
                scratch=run,
                base=run / slots[0],
                head=run / slots[1],
            )
            sides = _prepare(order)
        yield sides


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
            where = f" at {problem.filename}" if problem.filename else ""
            raise AgainstError(
                f"no space is left on the disk{where} for the two copies of the code; free some, or set TMPDIR or "
                f"PERFGATE_CACHE_DIR to a larger disk"
            ) from None
        raise


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both drafts with what is true of them together."""

    base: Draft
    head: Draft
    aside: dict[str, Path]
    others: tuple[Path, ...]
    differing: tuple[str, ...]


def _prepare(order: Order) -> Sides:
    base, head, notes = obtain_both(order)
    notes += take_generated(head, base, order.locate) + stale_copies(head, order.locate)
    aside = tests_inside(head.project, head.roots) if head.project else {}
    pair = _Pair(base, head, aside, tuple(_other_copies(head, order.locate)), differing(base, head))
    unswapped = outside(pair.differing, base, head)  # before a build lays the trees out anew
    if needs_building(head, base, order.locate):
        with ThreadPoolExecutor() as pool:  # each waits for a process of its own
            raw = [draft for draft in (base, head) if not draft.installed]
            list(pool.map(lambda draft: build_draft(draft, order.cache, order.say), raw))
        if order.packages:
            base.roots, head.roots = (_only(draft.roots, order.packages) for draft in (base, head))
    files = [list(draft.files(aside)) for draft in (base, head)]
    compile_both(*files)
    own = share_binaries(base.tree, head.tree)
    names = sorted({*base.roots, *head.roots})
    if unswapped and digest(files[0]) == digest(files[1]):
        notes.append(_only_outside(unswapped, names))
    return Sides(
        base=replace(_finish(base, pair, names, digest(files[0])), binaries=own[0]),
        head=replace(_finish(head, pair, names, digest(files[1])), binaries=own[1]),
        notes=tuple(dict.fromkeys(notes)),
    )


def _only_outside(files: Sequence[str], names: Sequence[str]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return (
        f"what is compared ({', '.join(names)}) is the same in base and head; {files[0]}{more}, which differs, is not "
        f'compared: if it is code under test, name it in [tool.perfgate] packages = ["..."]'
    )


def _only(roots: dict[str, str], packages: Sequence[str]) -> dict[str, str]:
    return {name: where for name, where in roots.items() if any(f"{name}.".startswith(f"{p}.") for p in packages)}


def _other_copies(head: Draft, locate: Locate) -> Iterator[Path]:
    """Give the places that the environment, or its hooks, would take the roots from."""
    yield from head.folders()
    for root in head.roots:
        place = locate(root)
        if place is not None and place.stem.partition(".")[0] == "__init__":
            yield place.parent


def _finish(draft: Draft, pair: _Pair, names: Sequence[str], content: str) -> Side:
    twin = pair.head if draft is pair.base else pair.base
    bootstrap = draft.tree.parent / "boot"
    write_bootstrap(
        bootstrap,
        Redirect(
            title=f"{draft.name} ({draft.label})",
            tree=draft.tree,
            twin=twin.tree,
            roots={name: draft.roots.get(name) for name in names},
            aside=pair.aside,
            others=pair.others,
            metadata=draft.installed,
        ),
    )
    return Side(
        name=draft.name,
        label=draft.label,
        bootstrap=bootstrap,
        location=draft.tree,
        roots=tuple(names),
        missing=tuple(name for name in names if name not in draft.roots),
        project=draft.project,
        is_source=not draft.installed,
        apart=tuple(str(pair.head.project / file) for file in pair.differing) if pair.head.project else (),
        digest=content,
    )
