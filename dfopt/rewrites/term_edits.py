"""Terms with a command taken out or put in. Pure functions over the terms of `model`; None where a term does not allow
it, so that the caller can say why."""

from __future__ import annotations

from functools import reduce

from dfopt.ir.model import and_term, with_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.model import Term


def without_command(term: Term, offset: int, *, last: bool = False) -> Term | None:
    """The term without the command at `offset`, which must be part of an `&&` chain or of a list. The last of a list
    gives the list its status: it goes only with `last` (`set -e` is in force, so that what comes before it has
    succeeded), and only after a plain command. None where the command is not there, or is the whole of its list."""
    if term[0] == "and":
        parts: list[Term] = list(term[1:])
        for index, part in enumerate(parts):
            if _is(part, offset):
                del parts[index]
                return reduce(and_term, parts)
            changed = without_command(part, offset)
            if changed is not None:
                parts[index] = changed
                return reduce(and_term, parts)
        return None
    if term[0] != "list":
        return None
    pairs = term[1]
    for index, (part, end) in enumerate(pairs):
        if _is(part, offset):
            ends = index == len(pairs) - 1
            before = pairs[index - 1] if index else None
            plain = before is not None and before[0][0] == "cmd" and before[1] == ";"
            if end != ";" or (ends and not (last and plain)):
                return None
            rest = (*pairs[:index], *pairs[index + 1 :])
            return rest[0][0] if len(rest) == 1 and rest[0][1] == ";" else ("list", rest)
        changed = without_command(part, offset)  # errexit is the body's own list's
        if changed is not None:
            return ("list", (*pairs[:index], (changed, end), *pairs[index + 1 :]))
    return None


def with_command_before(term: Term, offset: int, new: Term, operator: str) -> Term | None:
    """The term with `new` and the operator before the command at `offset`, grouped as the shell does: "&&" anywhere in
    a chain, ";" before the first command of a list's element. None where the command is not there."""
    if operator == "&&":
        changed = with_command(term, offset, lambda command: ("and", new, command))
        return None if changed is None else _regroup(changed)
    pairs = term[1] if term[0] == "list" else ((term, ";"),)
    for index, (part, _) in enumerate(pairs):
        first = part[1] if part[0] == "and" else part
        if _is(first, offset):
            return ("list", (*pairs[:index], (new, ";"), *pairs[index:]))
    return None


def _is(term: Term, offset: int) -> bool:
    return bool(term[0] == "cmd" and term[1] == offset)


def _regroup(term: Any) -> Any:
    """`a && (b && c)`, where one rewrite put `b && c` in the place of a command, as one chain."""
    if not isinstance(term, tuple) or term[:1] == ("cmd",):
        return term
    if term and term[0] == "and" and len(term) > 2 and isinstance(term[1], tuple):
        return reduce(and_term, map(_regroup, term[1:]))
    return tuple([_regroup(part) for part in term])
