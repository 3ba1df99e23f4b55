"""How a file lays out its commands, and edits in that same style. Every offset is one in the file."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.shell.nodes import AndOr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.syntax.tree import Instruction

_INDENT = regex(r"[ \t]*")
_CHAIN = regex(r"\n([ \t]*)&&([ \t]*)|&&[ \t]*[\\`][ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)")


class ChainStyle(Record):
    """How commands of a chain follow each other over lines: `indent` before a new line's text, and whether `&&` leads
    it (`gap` is what stands between `&&` and the command) or ends the line before."""

    leading: bool
    indent: str
    gap: str


def newline_at(text: str, offset: int) -> str:
    """The newline that the line of `offset` ends with; of the last line, the one before."""
    at = text.find("\n", offset)
    if at < 0:
        at = text.rfind("\n", 0, offset)
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """The end of the line without its newline (CR included in the newline)."""
    at = text.find("\n", offset)
    if at < 0:
        return len(text)
    return at - 1 if at > offset and text[at - 1] == "\r" else at


def chain_style(program: Program, step: Step) -> ChainStyle:
    """The style of the step's own chain; else of its continuation lines; else of the file; else `    && `."""
    own = _links(program, step.node)
    if own:
        return _style(own[-1])
    style = program.once("chain style", _style_of_file, program)
    continuation = re.search(r"\n([ \t]+)\S", program.text[step.node.start : step.node.end])
    # deeper than usual, they are operands that stand below their command: no place for another one
    if continuation is not None and (len(continuation[1].expandtabs()) <= 4 or continuation[1] == "\t"):
        return ChainStyle(style.leading, continuation[1], style.gap)
    return style


def _style_of_file(program: Program) -> ChainStyle:
    elsewhere = (_links(program, node) for node in program.dockerfile.instructions if node.keyword == "RUN")
    first = next((links[0] for links in elsewhere if links), None)
    return _style(first) if first is not None else ChainStyle(True, "    ", " ")


def _links(program: Program, node: Instruction) -> list[re.Match[str]]:
    """The places of an instruction where a chain goes on in a new line, comments left out."""
    text = program.text[node.start : node.end]
    return [
        match
        for match in _CHAIN.finditer(text)
        if not text[line_start(text, match.start()) : match.start()].lstrip().startswith("#")
    ]


def _style(match: re.Match[str]) -> ChainStyle:
    if match[3] is not None:
        return ChainStyle(False, match[3], " ")
    return ChainStyle(True, match[1], match[2] or " ")


def body_end(body: Body) -> int:
    """The offset after the last character of a step's shell text."""
    return body.span(len(body.text) - 1, len(body.text))[1]


def append_edit(program: Program, step: Step, body: Body, command: str, operator: str = "&&") -> Edit:
    """The edit that appends `command` to a RUN: on its line where it has but one, else on a line of its own."""
    text = program.text
    if body.form == "script":
        return _append_line(program, body, command)
    end = body_end(body)
    # what stands between the last command and the end (a final `;` of a `set -e` list)
    tail = ""
    if operator == ";" and body.text.rstrip().endswith(";"):
        operator = ""
    if "\n" not in text[step.node.start : end]:
        return Edit(end, end, f"{tail}{' ' if operator == '&&' else ''}{operator} {command}")
    style = chain_style(program, step)
    newline = newline_at(text, end)
    escape = program.dockerfile.escape
    if operator != "&&":
        last = text[line_start(text, end) : end]
        indent = _INDENT.match(last)
        return Edit(end, end, f"{operator} {escape}{newline}{indent[0] if indent else ''}{command}")
    if style.leading:
        return Edit(end, end, f" {escape}{newline}{style.indent}&&{style.gap}{command}")
    return Edit(end, end, f" && {escape}{newline}{style.indent}{command}")


def _append_line(program: Program, body: Body, command: str) -> Edit:
    """A line at the end of a heredoc script, indented as its last command."""
    assert body.heredoc is not None
    assert body.program is not None
    last = body.program.script.items[-1].command
    start = body.heredoc.start + last.start
    indent = _INDENT.match(program.text, line_start(program.text, start))
    newline = newline_at(program.text, start)
    end = body.heredoc.end
    return Edit(end, end, f"{indent[0] if indent else ''}{command}{newline}")


def is_chain(body: Body) -> bool:
    """Whether a body is one && chain, or a single command."""
    if body.program is None or len(body.program.script.items) != 1:
        return False
    command = body.program.script.items[0].command
    return not isinstance(command, AndOr) or "||" not in command.ops
