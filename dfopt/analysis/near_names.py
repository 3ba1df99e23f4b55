"""Which known name was meant by one that nothing defines: at most one slip of the keys away, two in a long name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHORTEST = 4  # characters; of shorter names, most are one slip from another
_LONG = 8  # from here on, two slips
_LONGEST = 64  # nobody mistypes a longer one
_MOST = 5_000  # names that are known; of more, none is looked for


class NearNames:
    """Known names, looked up by what is left of each without one or two of its letters: names that are a slip or two
    apart have such a rest in common."""

    def __init__(self, known: Iterable[str]) -> None:
        names = dict.fromkeys(name for name in known if _SHORTEST <= len(name) <= _LONGEST)
        self._by_rest: dict[str, list[str]] = {}
        for name in names if len(names) <= _MOST else ():
            for rest in _rests(name.lower()):
                self._by_rest.setdefault(rest, []).append(name)

    def nearest(self, name: str, among: Callable[[str], bool] = bool) -> str:
        """The one known name of those that fit `among` that `name` is nearest to, compared without case; "" where none
        is near, or several are as near."""
        if not _SHORTEST <= len(name) <= _LONGEST:
            return ""
        found = dict.fromkeys(other for rest in _rests(name.lower()) for other in self._by_rest.get(rest, ()))
        best, distance = "", 3
        for other in filter(among, found):
            slips = _slips(name.lower(), other.lower())
            if slips <= _allowed(name, other) and slips <= distance:
                best, distance = ("" if slips == distance else other), slips
        return best


def near_name(name: str, known: Iterable[str]) -> str:
    """As `NearNames.nearest`, of names that are asked about once."""
    return NearNames(other for other in known if abs(len(name) - len(other)) <= _allowed(name, other)).nearest(name)


def _allowed(name: str, other: str) -> int:
    return 2 if min(len(name), len(other)) >= _LONG else 1


def _rests(name: str) -> set[str]:
    """A name, and what is left of it without one letter; of a long one, without two as well."""
    rests = {name}
    for _ in range(2 if len(name) >= _LONG else 1):
        rests |= {rest[:at] + rest[at + 1 :] for rest in rests for at in range(len(rest))}
    return rests


def _slips(one: str, other: str) -> int:
    """Letters that are missing, too many, another one, or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
    return row[-1]
