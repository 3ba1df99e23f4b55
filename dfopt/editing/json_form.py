"""JSON arrays in the style in which a file writes them."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.syntax.tree import Instruction

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ARRAY = regex(r'\[( ?)"[^"\\\n]*"(?:,( ?)")?')


class JsonStyle(Record):
    """What a file puts after `[` (and before `]`), and after a comma."""

    edge: str
    gap: str


def json_style(program: Program) -> JsonStyle:
    """The style of the file's first JSON array with several strings; else the usual one."""
    for node in program.dockerfile.instructions:
        target: Instruction = node.nested or node
        if target.form == "json" and len(target.arguments) > 1:
            match = _ARRAY.match(node.joined.text, target.at)
            if match is not None and match[2] is not None:
                return JsonStyle(match[1], match[2])
    return JsonStyle("", " ")


def json_string(value: str) -> str | None:
    """A string as JSON; None where JSON cannot hold it (bytes that are no UTF-8)."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        return None
    return '"' + "".join([_ESCAPES.get(c) or (c if c >= " " else f"\\u{ord(c):04x}") for c in value]) + '"'
