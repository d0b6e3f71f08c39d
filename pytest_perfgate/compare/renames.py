"""Which missing case looks renamed to which new one; a hint for people, never a comparison."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pytest_perfgate.model import Measurement

#: How much of its letters a renamed test keeps.
_ALIKE = 0.8

#: Pairs of names compared letter by letter in all; a hint is not worth more than a second.
_MOST_PAIRS = 10_000


@dataclass(frozen=True, slots=True)
class _Name:
    """A case id taken apart."""

    id: str
    kind: tuple[str, str, str]
    """Metric, name of the case and unit: a rename changes none of them."""
    file: str
    function: str
    """With its classes in front."""
    parameters: str

    @property
    def bare_function(self) -> str:
        """The function without its classes."""
        return self.function.rpartition("::")[2]


def find_renames(missing: Iterable[Measurement], new: Iterable[Measurement]) -> dict[str, str]:
    """Pair missing cases with new ones of the same metric, name and unit whose test looks renamed.

    A test looks renamed when its function and parameters are found in another file or class, or when the same file
    has, with the same parameters, a test whose name keeps most of its letters.

    Args:
        missing: Cases of the baseline that this run did not measure.
        new: Cases of this run that the baseline does not have.

    Returns:
        Old case id -> new case id, each at most once.
    """
    olds, news = [_take_apart(case) for case in missing], [_take_apart(case) for case in new]
    renames = dict(_moved(olds, news))
    found = set(renames.values())
    olds = [old for old in olds if old.id not in renames]
    news = [one for one in news if one.id not in found]
    return renames | dict(_reworded(olds, news))


def _take_apart(measurement: Measurement) -> _Name:
    case = measurement.case
    file, colons, rest = case.test.partition("::")
    if not colons:  # not a node id of pytest: the whole is a name
        file, rest = "", file
    # Parameters may hold anything, "::" and "[" included: they begin at the first bracket.
    bracket = rest.find("[")
    end = bracket if bracket >= 0 else len(rest)
    return _Name(case.id, (case.metric, case.name, measurement.unit), file, rest[:end], rest[end:])


def _moved(missing: Sequence[_Name], new: Sequence[_Name]) -> Iterator[tuple[str, str]]:
    """Pair what has the same function and parameters elsewhere."""

    def key(name: _Name) -> tuple[object, ...]:
        return name.kind, name.bare_function, name.parameters

    for olds, news in _buckets(missing, new, key):
        # As many there as here: a folder was renamed, and order holds.  Any other pairing would be a guess.
        if len(olds) == len(news):
            yield from zip(sorted(old.id for old in olds), sorted(one.id for one in news), strict=True)


def _reworded(missing: Sequence[_Name], new: Sequence[_Name]) -> Iterator[tuple[str, str]]:
    """Pair what reads alike within one file, most alike first."""

    def key(name: _Name) -> tuple[object, ...]:
        return name.kind, name.file, name.parameters

    buckets = sorted(_buckets(missing, new, key), key=lambda bucket: len(bucket[0]) * len(bucket[1]))
    pairs_left = _MOST_PAIRS
    for olds, news in buckets:
        pairs_left -= len(olds) * len(news)
        if pairs_left < 0:
            return
        likenesses = [(_likeness(old, one), old.id, one.id) for old in olds for one in news]
        used: set[str] = set()
        for likeness, old_id, new_id in sorted(likenesses, key=lambda found: (-found[0], found[1:])):
            if likeness >= _ALIKE and not used & {old_id, new_id}:
                used |= {old_id, new_id}
                yield old_id, new_id


def _likeness(old: _Name, new: _Name) -> float:
    """Return the share of letters that two names have in common, in order; 0 when it is surely below the limit."""
    matcher = SequenceMatcher(None, old.function, new.function, autojunk=False)
    hopeless = matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE
    return 0.0 if hopeless else matcher.ratio()


def _buckets(
    missing: Iterable[_Name], new: Iterable[_Name], key: Callable[[_Name], tuple[object, ...]]
) -> Iterator[tuple[list[_Name], list[_Name]]]:
    """Group both sides by *key*, leaving out what only one side has, so that nothing is compared with everything."""
    olds: defaultdict[tuple[object, ...], list[_Name]] = defaultdict(list)
    news: defaultdict[tuple[object, ...], list[_Name]] = defaultdict(list)
    for groups, names in ((olds, missing), (news, new)):
        for name in names:
            groups[key(name)].append(name)
    return ((group, news[same]) for same, group in olds.items() if same in news)
