"""Edits that take a command out of a chain or list, or put one before it. Every offset is one in the file."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from dfopt.edit import Edit
from dfopt.editing.layout import line_end, line_start, newline_at
from dfopt.ir.exit_status import can_precede, errexit_throughout, or_chains
from dfopt.lazy import regex
from dfopt.rewrites.commands import InsertCommand, RemoveCommand
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_OPERATOR = regex(r"[ \t]*&&[ \t]*")
_BLANKS = regex(r"[ \t]*")


def remove_command(
    program: Program, step: Step, body: Body, node: SimpleCommand
) -> tuple[list[Edit], RemoveCommand] | None:
    """The edits that take a command out of the step's top-level chain or list, with its operator; comments stay. None
    where it does not stand there or is the only command."""
    assert body.program is not None
    text = program.text
    rewrite = RemoveCommand(step.index, node.start)
    items = body.program.script.items
    index = max(bisect_right(items, node.start, key=_start) - 1, 0)
    item, command = items[index], items[index].command
    start, end = body.span(node.start, node.end)
    if isinstance(command, AndOr) and index not in or_chains(body):
        place = bisect_right(command.items, node.start, key=_start) - 1
        if place < 0 or command.items[place] is not node:
            return None
        if place + 1 < len(command.items):
            operator = body.span(command.op_starts[place], command.op_starts[place] + 2)
            return _cut(step, text, start, end, operator, body.span(*_of(command.items[place + 1]))[0]), rewrite
        before = body.span(*_of(command.items[place - 1]))[1]
        # a comment between would be left after a continuation that nothing follows
        return None if "#" in text[before:start] else ([Edit(before, end, "")], rewrite)
    if command is not node:
        return None
    if index + 1 == len(items):
        if not index or not errexit_throughout(body):
            return None
        previous = items[index - 1]
        before = body.span(*_of(previous.command))[1]
        plain = isinstance(previous.command, SimpleCommand) and previous.terminator != "&"
        plain = plain and "#" not in text[before:end]
        return ([Edit(before, end, "")], rewrite) if plain else None
    following = body.span(*_of(items[index + 1].command))[0]
    semicolon = body.span(item.terminator_start, item.terminator_start + 1)
    return _cut(step, text, start, end, semicolon, following), rewrite


_start = attrgetter("start")


def _of(node: object) -> tuple[int, int]:
    return node.start, node.end  # type: ignore[attr-defined]


def _cut(step: Step, text: str, start: int, end: int, operator: tuple[int, int], following: int) -> list[Edit]:
    """From the command to the one after it; where comments stand between, only the command and the operator."""
    if "#" not in text[end:following]:
        return [Edit(start, following, "")]
    command = Edit(start, _BLANKS.match(text, end).end(), "")  # type: ignore[union-attr]
    sign = Edit(operator[0], _BLANKS.match(text, operator[1]).end(), "")  # type: ignore[union-attr]
    if command.end >= sign.start:
        return [Edit(start, sign.end, "")]
    return [command, sign]


def insert_command(
    program: Program, step: Step, body: Body, node: SimpleCommand, words: tuple[str, ...]
) -> tuple[Edit, InsertCommand] | None:
    """The edit that puts a command before another one, so that its failure fails the step; None where no place
    there does so."""
    at = body.span(node.start, node.start + 1)[0]
    command = " ".join(words)
    prefix = program.text[line_start(program.text, at) : at]
    newline = newline_at(program.text, at)
    if can_precede(body, node.start, "&&"):
        joint = " && "
        if body.form == "line" and _OPERATOR.fullmatch(prefix):  # the command begins its line
            joint = f" {program.dockerfile.escape}{newline}{prefix}"
        return Edit(at, at, command + joint), InsertCommand(step.index, node.start, words)
    if not can_precede(body, node.start, ";"):
        return None
    if prefix.strip():
        end = "; "
    elif body.form == "script":
        end = newline + prefix
    else:
        end = f"; {program.dockerfile.escape}{newline}{prefix}"
    return Edit(at, at, command + end), InsertCommand(step.index, node.start, words, ";")


def whole_step(text: str, step: Step) -> Edit:
    """The deletion of an instruction with its line, and with one of two blank lines that would meet."""
    start = line_start(text, step.node.start)
    end = text.find("\n", line_end(text, step.node.end)) + 1
    before = text[line_start(text, start - 1) : start] if start else ""
    after = text.find("\n", end) + 1
    if before and not before.strip() and after and not text[end:after].strip():
        end = after
    return Edit(start, end, "")
