"""RUN steps that hold a word of interest, and the place of a command in the file."""

from __future__ import annotations

from dfopt.ir.commands import commands
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from dfopt.ir.body import Body
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program, Step
    from dfopt.syntax.shell.nodes import Node


def runs(program: Program, wanted: Callable[[str], object]) -> Iterator[tuple[Step, Body]]:
    """The RUNs (behind ONBUILD too) whose text, heredocs included, is `wanted`, with their shell programs. Those that
    are not understood are passed over: the optimizer says so."""
    for stage in program.stages:
        for step in stage.steps:
            if step.effective.keyword == "RUN" and wanted(run_text(program, step)):
                body = program.body(step)
                if body.program is not None:
                    yield step, body


def run_text(program: Program, step: Step) -> str:
    """All that a RUN says: its joined line and its heredocs."""
    text = step.node.joined.text
    return text + "".join([program.text[doc.start : doc.end] for doc in step.heredocs]) if step.heredocs else text


def invocations(program: Program, wanted: Callable[[str], object]) -> Iterator[tuple[Step, Body, Invocation]]:
    """Every command of the RUNs whose text is `wanted`."""
    for step, body in runs(program, wanted):
        for one in command_list(body):
            yield step, body, one


_seen: list[tuple[Body, tuple[Invocation, ...]]] = []


def command_list(body: Body) -> tuple[Invocation, ...]:
    """The commands of a body; kept for the last few bodies, since passes ask for the same ones in turn."""
    for known, found in _seen:
        if known is body:
            return found
    made = commands(body).invocations
    _seen.append((body, made))
    if len(_seen) > _KEPT:
        del _seen[0]
    return made


_KEPT = 16


def place(step: Step, body: Body, start: int, end: int, nested: bool = False) -> tuple[int, int]:
    """A span of a step's shell text in the file; the whole instruction where the text is not the file's own."""
    if nested or body.form not in ("line", "script"):
        return step.node.start, step.node.end
    return body.span(start, end)


def walk(node: Any) -> Iterator[Node]:
    """A shell tree's nodes, outer ones first, in the order of the text."""
    from dfopt.syntax.shell.nodes import Node

    if isinstance(node, Node):
        yield node
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif isinstance(node, Record):
        for field in type(node).__fields__:
            value = getattr(node, field)
            if isinstance(value, tuple | Record):
                yield from walk(value)
