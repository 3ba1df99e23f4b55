"""Terms with commands taken out or put in: all at once, so that a text of many is walked once. Pure functions over the
terms of `model`; `found` gains the offsets of the commands that they met where a term allows it."""

from __future__ import annotations

from functools import partial

from dfopt.ir.model import and_chain, with_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from dfopt.ir.model import Term


def without_commands(term: Term, gone: Collection[int], found: set[int], *, last: bool = False) -> Term:
    """The term without the commands at the offsets `gone`, each part of an `&&` chain or of a list. The last of a list
    gives the list its status: it goes only with `last` (`set -e` is in force, so that what comes before it has
    succeeded), and only after a plain command. What is the whole of a term stays."""
    if term[0] == "and":
        return _chain_without(term, gone, found)
    if term[0] != "list":
        return term
    pairs: list[tuple[Term, str]] = []
    for index, (whole, end) in enumerate(term[1]):
        part = without_commands(whole, gone, found)  # errexit is the body's own list's
        if _is_at(part, gone) and end == ";":
            plain = bool(pairs) and pairs[-1][0][0] == "cmd" and pairs[-1][1] == ";"
            if index < len(term[1]) - 1 or (last and plain):
                found.add(part[1])
                continue
        pairs.append((part, end))
    if len(pairs) == 1 < len(term[1]) and pairs[0][1] == ";":
        return pairs[0][0]
    return ("list", tuple(pairs))


def _chain_without(term: Term, gone: Collection[int], found: set[int]) -> Term:
    """An `&&` chain without commands; where all are to go, the last is left."""
    parts = [part for part in term[1:] if not _is_at(part, gone)] or [term[-1]]
    found.update([part[1] for part in term[1:] if _is_at(part, gone) and part is not parts[-1]])
    return and_chain(parts) if len(parts) < len(term) - 1 else term


def with_commands_before(term: Term, added: Mapping[int, Sequence[tuple[Term, str]]], found: set[int]) -> Term:
    """The term with new commands, each with its operator, before the commands at the offsets, grouped as the shell
    does: "&&" anywhere in a chain, ";" before the first command of a list's element."""
    alone = {offset: [new for new, operator in news if operator == ";"] for offset, news in added.items()}
    chained = {offset: [new for new, operator in news if operator == "&&"] for offset, news in added.items()}
    begun: set[int] = set()
    pairs: list[tuple[Term, str]] = []
    for part, end in term[1] if term[0] == "list" else ((term, ";"),):
        first = part[1] if part[0] == "and" else part
        if _is_at(first, alone) and alone[first[1]]:
            begun.add(first[1])
            pairs += [(new, ";") for new in alone[first[1]]]
        pairs.append((part, end))
    if begun:
        term = ("list", tuple(pairs))
    changes = {offset: [partial(_preceded, news)] for offset, news in chained.items() if news}
    reached: set[int] = set()
    if changes:
        term = _regroup(with_commands(term, changes, reached))
    found.update(
        offset for offset in added
        if (not alone[offset] or offset in begun) and (not chained[offset] or offset in reached)
    )  # fmt: skip
    return term


def _preceded(news: Sequence[Term], old: Term) -> Term:
    return ("and", *news, old)


def _is_at(term: Term, offsets: Collection[int]) -> bool:
    return bool(term[0] == "cmd" and term[1] in offsets)


def _regroup(term: Any) -> Any:
    """`a && (b && c)`, where `b && c` came into the place of a command, as one chain."""
    if not isinstance(term, tuple) or term[:1] == ("cmd",):
        return term
    if term and term[0] == "and" and len(term) > 2 and isinstance(term[1], tuple):
        return and_chain([_regroup(part) for part in term[1:]])
    return tuple([_regroup(part) for part in term])
