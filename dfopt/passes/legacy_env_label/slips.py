"""Evident slips in ENV and LABEL, which no other spelling may carry on."""

from __future__ import annotations

from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.tree import Instruction

# `NAME value OTHER=value`: the words behind the first are no options and no assignments of a command
_PAIR = regex(r"[^\s\"'=-][^\s\"'=]*[ \t]+([A-Z_][A-Z0-9_]*|[a-z][\w-]*(?:\.[\w-]+)+)=\S")
# a line of a quoted value that begins as a pair does
_LINE = regex(r"[\\`][ \t]*\r?\n[ \t]*([A-Z_][A-Z0-9_]*)=")


def slip(text: str, node: Instruction) -> str:
    """What is wrong with an ENV or a LABEL: a second `=`, or a pair that is part of a value; "" for
    none."""
    for pair in node.pairs:
        value = pair.value or ""
        if value.lstrip().startswith("=") and value.strip("= \t\"'"):
            return f"the value of {pair.name} begins with ="
        if node.form == "legacy":
            inner = _PAIR.match(value)
            if inner is not None:
                return f"{inner[1]}= is part of the value of {pair.name}"
        elif value[:1] in ("'", '"') and pair.stop > pair.value_at:
            written = text[node.joined.source(pair.value_at) : node.joined.span(pair.stop - 1, pair.stop)[1]]
            inner = _LINE.search(written)
            if inner is not None:
                return f"{inner[1]}= is part of the value of {pair.name}, whose quotes end behind it"
    return ""
