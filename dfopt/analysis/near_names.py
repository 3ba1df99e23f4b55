"""Which known name was meant by one that nothing defines: at most one slip of the keys away, two in a long name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST = 4  # characters; of shorter names, most are one slip from another
_LONG = 8  # from here on, two slips


def near_name(name: str, known: Iterable[str]) -> str:
    """The one known name that `name` is nearest to, compared without case; "" where none is near, or several are as
    near."""
    best, distance = "", 3
    for other in dict.fromkeys(known):
        allowed = 2 if min(len(name), len(other)) >= _LONG else 1
        if min(len(name), len(other)) < _SHORTEST or abs(len(name) - len(other)) > allowed:
            continue
        slips = _slips(name.lower(), other.lower())
        if slips <= allowed and slips <= distance:
            best, distance = ("" if slips == distance else other), slips
    return best


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
