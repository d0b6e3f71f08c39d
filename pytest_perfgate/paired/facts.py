"""What workers know besides times: modules, page faults, memory; one value for head, and where base differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_perfgate import stats
from pytest_perfgate.words import counted

Facts = Mapping[str, Any]

#: Rounds in which the sides have to differ in the same way before anybody is told.
FEWEST_ROUNDS = 2
#: Says that others kept the machine too busy for a process.
_STARVED = "starved"
#: Page faults vary from process to process by a percent or two, whatever the code does.
_FAULTS_TOLERANCE = 0.05
#: Modules named in a remark; the report has head's all.
_NAMED = 3


def merged_facts(rounds: Sequence[Facts]) -> dict[str, Any]:
    """Make one set of facts of what the processes of a side told.

    Args:
        rounds: The facts of each process, in the order measured; at least one.

    Returns:
        The newest, with the median over all processes in place of every number that is not a whole one; they are
        starved where most of them were, as the median of their times is then.
    """
    starved = [facts[_STARVED] for facts in rounds if facts.get(_STARVED)]
    merged = {name: _merged(name, fact, rounds) for name, fact in rounds[-1].items() if name != _STARVED}
    return merged | ({_STARVED: starved[-1]} if len(starved) * 2 > len(rounds) else {})


def _merged(name: str, newest: Any, rounds: Sequence[Facts]) -> Any:
    if not isinstance(newest, float):
        return newest
    return stats.median([facts[name] for facts in rounds if isinstance(facts.get(name), int | float)])


def differences(base: Sequence[Facts], head: Sequence[Facts]) -> list[str]:
    """Say in what the sides differ besides time, each time they were measured.

    Args:
        base: The facts of base's processes, one for each round.
        head: Those of head's in the same rounds.

    Returns:
        Sentences: on what kind of result the target returns, on the number of modules that an import brings in, and
        on page faults.
    """
    if len(head) < FEWEST_ROUNDS:
        return []
    rounds = list(zip(base, head, strict=True))
    return [*_result_types(rounds), *_modules(rounds), *_page_faults(rounds)]


def _result_types(rounds: Sequence[tuple[Facts, Facts]]) -> Iterable[str]:
    kinds = {(old.get("result_type"), new.get("result_type")) for old, new in rounds}
    if len(kinds) != 1:
        return
    ((old, new),) = kinds
    if old and new and old != new:
        yield f"the target returns {new}, and {old} at base: the two may not do the same work"


def _modules(rounds: Sequence[tuple[Facts, Facts]]) -> Iterable[str]:
    named = [[facts.get("module_names") for facts in pair] for pair in rounds]
    if not all(isinstance(names, list) for pair in named for names in pair):
        return
    sets = [tuple(frozenset(names or ()) for names in pair) for pair in named]
    if not _same_sign([len(new) - len(old) for old, new in sets]):
        return
    old, new = sets[-1]
    came = frozenset.intersection(*(new - old for old, new in sets))
    went = frozenset.intersection(*(old - new for old, new in sets))
    lists = [_listed("new", came), _listed("gone", went)]
    detail = "; ".join(filter(None, lists))
    yield f"imports {counted(len(new), 'module')}, {len(old)} at base" + (f": {detail}" if detail else "")


def _listed(what: str, names: Iterable[str]) -> str:
    """Name a few of them: a package before what is inside it."""
    ordered = sorted(names, key=lambda name: (name.count("."), name))
    if not ordered:
        return ""
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return f"{what} {', '.join(ordered[:_NAMED])}{more}"


def _page_faults(rounds: Sequence[tuple[Facts, Facts]]) -> Iterable[str]:
    counts = [(old.get("page_faults"), new.get("page_faults")) for old, new in rounds]
    known = [(old, new) for old, new in counts if old is not None and new is not None and old > 0]
    if len(known) < len(rounds):
        return
    changes = [new / old - 1 for old, new in known]
    if not _same_sign(changes) or min(map(abs, changes)) <= _FAULTS_TOLERANCE:
        return
    old, new = (stats.median(values) for values in zip(*known, strict=True))
    yield f"{new:.0f} page faults, {old:.0f} at base ({stats.median(changes) * 100:+.1f} %)"


def _same_sign(differences: Sequence[float]) -> bool:
    return all(one > 0 for one in differences) or all(one < 0 for one in differences)
