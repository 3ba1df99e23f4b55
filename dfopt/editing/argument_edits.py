"""Fixes that write one argument of an instruction another way."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.findings import Fix
from dfopt.rewrites.instructions import SetValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.tree import Instruction


def replace_arguments(step: int, node: Instruction, words: dict[int, str], tier: str) -> Fix | None:
    """The fix that puts other words in place of arguments (index -> word) of instruction number `step`. None where it
    is behind ONBUILD, in JSON form or has heredocs, or where a continuation breaks one of the words."""
    if node.form not in ("list", "text") or node.keyword == "ONBUILD" or node.heredocs:
        return None
    edits: list[Edit] = []
    values = [argument.value for argument in node.arguments]
    for index, word in sorted(words.items()):
        argument = node.arguments[index]
        start, end = node.joined.span(argument.at, argument.stop)
        if end - start != argument.stop - argument.at:
            return None
        edits.append(Edit(start, end, word))
        values[index] = word
    value = (node.form, node.kind.upper(), tuple(values))
    return Fix(tuple(edits), (SetValue(step, node.keyword, value),), tier)
