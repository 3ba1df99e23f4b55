"""Whether two spellings of a value are the same to BuildKit's word expansion, whatever its variables hold."""

from __future__ import annotations

from itertools import product

from dfopt.syntax.expand import ExpansionError, expand_word, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A value that would show if anything looked at it twice: blanks, quotes, escapes, a variable, a wildcard
_MARK = "m{} \\'\"`$x*"


def same_expansion(before: str, other: str, escape: str) -> bool:
    """Whether both words expand alike in every environment.

    They must use the same variables in the same way and order; what stands around those is compared by expanding both
    with each of up to three variables unset, empty and set in turn (more: all together). A word that cannot be expanded
    is like no other.
    """
    try:
        uses = [
            (use.name, use.operator, before[use.operand_start : use.operand_end]) for use in variables(before, escape)
        ]
        others = [
            (use.name, use.operator, other[use.operand_start : use.operand_end]) for use in variables(other, escape)
        ]
    except ExpansionError:
        return False
    if uses != others:
        return False
    names = list(dict.fromkeys(name for name, _, _ in uses))
    choices = [(None, "", _MARK.format(number)) for number in range(len(names))]
    rows = product(*choices) if len(names) <= 3 else zip(*choices, strict=True)
    for row in rows:
        env = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        if _expanded(before, env, escape) != _expanded(other, env, escape):
            return False
    return True


def respelling_fault(value: tuple[object, ...], pairs: tuple[tuple[str, str | None], ...], escape: str) -> str:
    """Why `pairs` do not say what a canonical ENV or LABEL value (`model.value_of`) says; "" where they do."""
    old: Any = value[1] if value[0] in ("pairs", "legacy") else ()
    if [name for name, _ in old] != [name for name, _ in pairs]:
        return "a respelling changes names"
    for (name, before), (_, after) in zip(old, pairs, strict=True):
        if before != after and (before is None or after is None or not same_expansion(before, after, escape)):
            return f"the value of {name} is not the same in its new spelling"
    return ""


def _expanded(word: str, env: dict[str, str], escape: str) -> tuple[bool, str]:
    """(whether the expansion succeeds, its text or the reason why not: `${x:?}` fails by design)."""
    try:
        return True, expand_word(word, env, escape=escape)
    except ExpansionError as error:
        return False, error.reason
