"""The canonical model: what a file says, without how it is laid out. Two files with equal models build the same thing.

An untouched step is compared by exactly what BuildKit hands on (for RUN: the joined text, byte for byte, since any
change of it runs the step anew). A rewritten RUN is compared by its shell *term*: nested tuples made from the shell
tree, in which words and redirects are kept as written and only the grouping of `&&` is normalized.
"""

from __future__ import annotations

from functools import reduce
from itertools import chain

from dfopt.record import Record
from dfopt.syntax.shell.nodes import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    BraceGroup,
    Case,
    Coproc,
    For,
    Function,
    If,
    Pipeline,
    Script,
    SimpleCommand,
    Subshell,
    Test,
    While,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from dfopt.ir.program import Program
    from dfopt.syntax.shell.nodes import Command, Redirect
    from dfopt.syntax.tree import Instruction

    # ("cmd", offset, assignments, words, redirects) | ("and", term, term ...) | ("or", left, right)
    # | ("list", ((term, ";" | "&"), ...)) | ("pipe", negated, timed, operators, terms)
    # | ("sub" | "group", term, redirects) | (other compound, ...)
    Term: TypeAlias = tuple[Any, ...]


class ModelInstruction(Record):
    """One instruction in the model.

    index   of the instruction in the original file; -1 for one that a rewrite inserted
    flags   (name, value) in the order written
    value   the arguments as BuildKit hands them on, with heredocs
    """

    index: int
    keyword: str
    flags: tuple[tuple[str, str | None], ...]
    value: tuple[object, ...]

    def same(self, other: ModelInstruction) -> bool:
        return self.keyword == other.keyword and self.flags == other.flags and self.value == other.value


def items(program: Program) -> list[ModelInstruction]:
    """The model of a file: every instruction in order."""
    return [item(index, node, program.text) for index, node in enumerate(program.dockerfile.instructions)]


def item(index: int, node: Instruction, text: str) -> ModelInstruction:
    return ModelInstruction(
        index, node.keyword, tuple([(flag.name, flag.value) for flag in node.flags]), value_of(node, text)
    )


def value_of(node: Instruction, text: str) -> tuple[object, ...]:
    """The arguments of an instruction, canonically."""
    if node.nested is not None:
        inner = node.nested
        flags = tuple([(flag.name, flag.value) for flag in inner.flags])
        value: tuple[object, ...] = ("nested", inner.keyword, flags, value_of(inner, text))
    elif node.form in ("pairs", "legacy"):
        value = ("pairs", tuple([(pair.name, pair.value) for pair in node.pairs]))
        if node.form == "legacy":  # an old-form value is expanded as it stands, quotes and blanks included
            value = ("legacy", *value[1:])
    else:
        value = (node.form, node.kind.upper(), tuple([argument.value for argument in node.arguments]))
    if node.heredocs:
        docs = [(doc.name, doc.expand, doc.chomp, doc.fd, text[doc.start : doc.end]) for doc in node.heredocs]
        return (*value, tuple(docs))
    return value


# --- shell terms ------------------------------------------------------------------------------------------


def term(script: Script, text: str) -> Term:
    """The term of a list; a list of one command that simply ends is that command."""
    items = script.items
    if len(items) == 1 and items[0].terminator != "&":
        return _command(items[0].command, text)
    pairs = [(_command(item.command, text), "&" if item.terminator == "&" else ";") for item in items]
    return ("list", tuple(pairs))


def and_term(left: Term, right: Term) -> Term:
    """The term of `left && right` as the shell groups it: `&&` is associative, so that a chain is one term however
    long it is; after `a; b` it binds to b only."""
    if left[0] == "list":
        *head, (last, end) = left[1]
        return ("list", (*head, (and_term(last, right), end)))
    return ("and", *(left[1:] if left[0] == "and" else (left,)), *(right[1:] if right[0] == "and" else (right,)))


def and_chain(parts: Sequence[Term]) -> Term:
    """The term of `a && b && ...`, as `and_term` makes it of the parts from left to right."""
    if len(parts) < 3 or any(part[0] == "list" for part in parts):
        return reduce(and_term, parts)
    return ("and", *chain.from_iterable([part[1:] if part[0] == "and" else (part,) for part in parts]))


def _command(node: Command, text: str) -> Term:
    if isinstance(node, SimpleCommand):
        return (
            "cmd", node.start, tuple([text[a.start : a.end] for a in node.assignments]),
            tuple([text[word.start : word.end] for word in node.words]), _redirects(node.redirects, text),
        )  # fmt: skip
    if isinstance(node, AndOr):
        parts = [_command(node.items[0], text)]
        for operator, right in zip(node.ops, node.items[1:], strict=True):
            right_term = _command(right, text)
            if operator == "&&":
                parts.append(right_term)
            else:
                parts = [("or", and_chain(parts), right_term)]
        return and_chain(parts)
    if isinstance(node, Pipeline):
        return ("pipe", node.negated, node.timed, node.ops, tuple([_command(part, text) for part in node.commands]))
    if isinstance(node, Subshell):
        return ("sub", term(node.body, text), _redirects(node.redirects, text))
    if isinstance(node, BraceGroup):
        return ("group", term(node.body, text), _redirects(node.redirects, text))
    if isinstance(node, If):
        branches = tuple([(term(condition, text), term(then, text)) for condition, then in node.branches])
        otherwise = term(node.otherwise, text) if node.otherwise is not None else None
        return ("if", branches, otherwise, _redirects(node.redirects, text))
    if isinstance(node, For):
        words = None if node.words is None else tuple([text[word.start : word.end] for word in node.words])
        return ("for", node.select, node.name, words, term(node.body, text), _redirects(node.redirects, text))
    if isinstance(node, ArithmeticFor):
        return ("for((", node.header, term(node.body, text), _redirects(node.redirects, text))
    if isinstance(node, While):
        return (
            "while",
            node.until,
            term(node.condition, text),
            term(node.body, text),
            _redirects(node.redirects, text),
        )
    if isinstance(node, Case):
        cases = [
            (tuple([text[p.start : p.end] for p in case.patterns]), term(case.body, text), case.terminator or ";;")
            for case in node.items
        ]
        subject = text[node.subject.start : node.subject.end]
        return ("case", subject, tuple(cases), _redirects(node.redirects, text))
    if isinstance(node, Function):
        return ("function", node.keyword, node.name, _command(node.body, text))
    if isinstance(node, Test):
        return ("[[", tuple([text[word.start : word.end] for word in node.words]), _redirects(node.redirects, text))
    if isinstance(node, ArithmeticCommand):
        return ("((", node.text, _redirects(node.redirects, text))
    assert isinstance(node, Coproc)
    return ("coproc", node.name, _command(node.command, text))


def _redirects(redirects: tuple[Redirect, ...], text: str) -> tuple[object, ...]:
    return tuple([(r.fd, r.op, text[r.target.start : r.target.end], r.body) for r in redirects])


def _is_command(term: tuple[Any, ...]) -> bool:
    """Whether a tuple is a command's term, and not the words of a program that is called cmd: those are all strings."""
    return len(term) > 1 and term[0] == "cmd" and isinstance(term[1], int)


def without_offsets(term: Any) -> Any:
    """A term without the offsets of its commands: what is compared."""
    if isinstance(term, tuple):
        if _is_command(term):
            return ("cmd", *term[2:])
        return tuple([without_offsets(part) for part in term])
    return term


def with_commands(term: Any, changes: Mapping[int, Sequence[Callable[[Term], Term]]], found: set[int]) -> Any:
    """The term with each command at one of the offsets changed, in one walk; `found` gains the offsets that it met."""
    if _is_command(term):
        if term[1] in changes and term[1] not in found:
            found.add(term[1])
            for change in changes[term[1]]:
                term = change(term)
        return term
    parts = [with_commands(part, changes, found) if isinstance(part, tuple) and part else part for part in term]
    return term if all(new is old for new, old in zip(parts, term, strict=True)) else tuple(parts)
