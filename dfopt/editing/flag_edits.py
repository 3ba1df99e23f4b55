"""Edits that give a RUN more flags, in its own layout."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.layout import chain_style, newline_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_WIDTH = 120


def flags_edit(program: Program, step: Step, flags: list[str]) -> Edit:
    """The edit that puts flags (`--mount=...`) after those that an instruction has: on its line where it is one that
    stays short enough, else each on a line of its own."""
    text, node = program.text, step.node
    after = node.flags[-1].stop if node.flags else len(node.keyword)
    at = node.joined.span(after - 1, after)[1]
    body = node.joined.span(node.at, node.at + 1)[0]
    one_line = node.line == node.last or bool(node.heredocs)
    if (one_line and len(node.joined.text) + sum(len(flag) + 1 for flag in flags) <= _WIDTH) or node.heredocs:
        return Edit(at, at, "".join([f" {flag}" for flag in flags]))
    indent = chain_style(program, step).indent or "    "
    joint = f" {program.dockerfile.escape}{newline_at(text, node.start)}{indent}"
    written = (joint if node.flags else " ") + joint.join(flags)
    if not text[at:body].strip(" \t"):  # the command stands after it on the same line
        return Edit(at, body, written + joint)
    return Edit(at, at, written)
