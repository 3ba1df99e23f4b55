"""The comment that suppresses a pass, in the file's own style."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.findings import Fix
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import ChangeComments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.syntax.tree import Instruction

_OWN_COMMENT = regex(r"(#\s*dfopt:\s*ignore\s*=\s*)([\w,.-]+)", re.I)


def instruction_at(program: Program, offset: int) -> Instruction | None:
    """The instruction that contains `offset`."""
    return next((node for node in program.dockerfile.instructions if node.start <= offset <= node.end), None)


def suppression(program: Program, name: str, offset: int, whole_file: bool = False) -> Fix:
    """A comment that suppresses a pass on the instruction at `offset`, or in the whole file. Raises Refusal."""
    text = program.text
    node = instruction_at(program, offset)
    if node is None:
        raise Refusal("no instruction stands here")
    if whole_file:
        node = program.dockerfile.instructions[0]
    else:
        for comment in node.above:
            match = _OWN_COMMENT.match(text[comment.start : comment.end])
            if match:
                old = text[comment.start : comment.end].rstrip()
                new = f"{old[: match.end()]},{name}{old[match.end() :]}"
                at = comment.start + match.end()
                return Fix((Edit(at, at, f",{name}"),), (ChangeComments((old,), (new,)),), "safe")
    start = text.rfind("\n", 0, node.start) + 1
    newline = "\r\n" if "\r\n" in text[node.start : text.find("\n", node.start) + 1] else "\n"
    comment_text = f"# dfopt: {'file-' if whole_file else ''}ignore={name}"
    indent = text[start : node.start]
    edit = Edit(start, start, f"{indent if not indent.strip() else ''}{comment_text}{newline}")
    return Fix((edit,), (ChangeComments((), (comment_text,)),), "safe")
