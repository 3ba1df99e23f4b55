"""What becomes of a command's failure and where its input comes from, by its place in the shell text."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter

from dfopt.ir.shell_body import memoized
from dfopt.ir.shell_state import sets_errexit
from dfopt.record import Record
from dfopt.syntax.shell.nodes import (
    AndOr,
    ArithmeticFor,
    BraceGroup,
    Case,
    For,
    If,
    Pipeline,
    Script,
    SimpleCommand,
    Subshell,
    While,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.shell_body import Body
    from dfopt.syntax.shell.nodes import Command

_INPUT = frozenset(("<", "<<", "<<-", "<<<", "<>", "<&"))


def errexit_throughout(body: Body) -> bool:
    """Whether `set -e` is in force in the body's own list from its first command to its end."""
    return memoized(body, ("errexit", "e" in body.shell.options), _errexit_throughout)


def _errexit_throughout(body: Body) -> bool:
    assert body.program is not None
    items = body.program.script.items
    first = items[0].command
    sets = "e" in body.shell.options or (
        isinstance(first, SimpleCommand)
        and bool(first.words)
        and first.words[0].value == "set"
        and sets_errexit([word.value for word in first.words[1:]])
    )
    return sets and "set +" not in body.text and "eval" not in body.text


def errexit_sees(command: Command) -> bool:
    """Whether `set -e` ends the shell whenever this element of a list fails. It does not where a command before
    `&&` or after `!` fails, nor where such a one ends the body of an if, a loop or a group. (Tried with dash, bash and
    busybox ash.)"""
    if isinstance(command, AndOr):
        return command.ops[-1] == "||" and errexit_sees(command.items[-1])
    if isinstance(command, Pipeline):
        return not command.negated and (len(command.commands) > 1 or errexit_sees(command.commands[0]))
    if isinstance(command, BraceGroup):
        return _errexit_sees_end(command.body)
    if isinstance(command, If):
        bodies = [then for _, then in command.branches]
        return all(_errexit_sees_end(body) for body in (*bodies, command.otherwise) if body is not None)
    if isinstance(command, For | ArithmeticFor | While):
        return _errexit_sees_end(command.body)
    if isinstance(command, Case):
        return all(_errexit_sees_end(case.body) for case in command.items)
    return True


def _errexit_sees_end(script: Script) -> bool:
    return not script.items or errexit_sees(script.items[-1].command)


def can_precede(body: Body, offset: int, operator: str) -> bool:
    """Whether a command put before the one at `offset` fails the step when it fails, and changes nothing else: with
    "&&" in a chain that is the last of the body's list, with ";" at the beginning of an element under `set -e`."""
    assert body.program is not None
    items = body.program.script.items
    index = bisect_right(items, offset, key=_start) - 1
    command = items[max(index, 0)].command
    if not command.start <= offset < command.end:
        return False
    parts = command.items if isinstance(command, AndOr) else (command,)
    place = bisect_right(parts, offset, key=_start) - 1
    if place < 0 or not isinstance(parts[place], SimpleCommand) or parts[place].start != offset:
        return False
    if items[index].terminator == "&" or index in or_chains(body):
        return False
    if operator == "&&":
        return index == len(items) - 1
    return place == 0 and errexit_throughout(body) and (index > 0 or "e" in body.shell.options)


def or_chains(body: Body) -> frozenset[int]:
    """Which elements of a body's list are chains with `||`."""
    return memoized(body, "|| chains", _or_chains)


def _or_chains(body: Body) -> frozenset[int]:
    assert body.program is not None
    commands = [item.command for item in body.program.script.items]
    return frozenset(i for i, command in enumerate(commands) if isinstance(command, AndOr) and "||" in command.ops)


_start = attrgetter("start")


def fails_step(body: Body, node: SimpleCommand) -> bool:
    """Whether the step fails for certain when the command fails."""
    assert body.program is not None
    return _fails_step(body, body.program.script, node, errexit_throughout(body), True)


def _fails_step(body: Body, script: Script, node: SimpleCommand, errexit: bool, ends: bool) -> bool:
    """`ends`: the list's status is the step's."""
    for index, item in enumerate(script.items):
        if item.start <= node.start < item.command.end:
            last = index == len(script.items) - 1
            if item.terminator == "&" or not (last or errexit):
                return False
            # before &&, `set -e` does not see a failure: it fails the list only where that is the last of all
            return _in_command(body, item.command, node, errexit, last and ends)
    return False


def _in_command(body: Body, command: Command, node: SimpleCommand, errexit: bool, last: bool) -> bool:
    if command is node:
        return True
    if isinstance(command, AndOr):
        if "||" in command.ops:
            return False
        for position, part in enumerate(command.items):
            if part.start <= node.start < part.end:
                final = position == len(command.items) - 1
                return (final or last) and _in_command(body, part, node, errexit and final, last)
    if isinstance(command, Pipeline):
        part = command.commands[-1]
        inside = part.start <= node.start < part.end
        return not command.negated and inside and _in_command(body, part, node, errexit, last)
    if isinstance(command, Subshell):  # a shell of its own: `set -e` of the outer one sees its status
        return _fails_step(body, command.body, node, errexit, True)
    if isinstance(command, BraceGroup):
        return _fails_step(body, command.body, node, errexit, last)
    return False


def reads_stdin(body: Body, node: SimpleCommand) -> bool:
    """Whether a command's standard input is a pipe or a redirection: something may answer its questions."""
    assert body.program is not None
    return _reads_stdin(body.program.script, node)


def _reads_stdin(outer: Any, node: SimpleCommand) -> bool:
    if isinstance(outer, tuple):
        return any(_reads_stdin(part, node) for part in outer)
    if not isinstance(outer, Record) or not getattr(outer, "start", node.start) <= node.start:
        return False
    if getattr(outer, "end", node.end) <= node.start:
        return False
    if isinstance(outer, Pipeline) and any(part.start <= node.start < part.end for part in outer.commands[1:]):
        return True
    if any(redirect.op in _INPUT for redirect in getattr(outer, "redirects", ())):
        return True
    fields = type(outer).__fields__ if outer is not node else ()
    return any(_reads_stdin(getattr(outer, field), node) for field in fields if field != "redirects")
