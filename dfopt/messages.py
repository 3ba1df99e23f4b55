"""Wording that several floors share: what was meant by a word that is not known; text that is safe to show."""

from __future__ import annotations

from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(word: str, words: Iterable[str]) -> str:
    """`; did you mean "x"?` where a known word is near, else nothing."""
    from difflib import get_close_matches

    table = {item.lower(): item for item in words}
    near = get_close_matches(word.lower(), table, n=1, cutoff=0.65)
    return f'; did you mean "{table[near[0]]}"?' if near else ""


def printable(text: str) -> str:
    """`text` on one line, for a terminal or the log of a build server: control characters, bytes that are no text and
    what changes the direction of text as escapes, and nothing in it that a server takes for a command of its own."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    return _COMMAND.sub("#\\\\x23", text) if "##" in text else text


def printable_lines(text: str, coloured: bool = False) -> str:
    """The same for whole lines, which may be indented by tabs, and `coloured` by sequences that stay."""
    if text.replace("\n", "").isprintable() and "::" not in text and "##" not in text:
        return text
    return "\n".join([_line(line, coloured) for line in text.split("\n")])


def json_text(value: object, indent: int | None = None) -> str:
    """JSON with all letters as they are; what is no letter, no sign and no blank, as an escape."""
    import json

    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


# Commands that a build server takes out of a log: `::NAME::` at the beginning of a line and `##[NAME]` anywhere (GitHub
# Actions), `##vso[` (Azure Pipelines), `##teamcity[`. GitLab's sections begin with an escape character.
_COMMAND = regex(r"##(?=\[|vso\[|teamcity\[)")
_COLOUR = regex(r"(\x1b\[[0-9]{0,2}m)")


def _line(line: str, coloured: bool) -> str:
    parts = _COLOUR.split(line) if coloured else [line]
    parts[::2] = ["\t".join([printable(piece) for piece in part.split("\t")]) for part in parts[::2]]
    line = "".join(parts)
    bare = line.lstrip()
    return line if not bare.startswith("::") else f"{line[: len(line) - len(bare)]}:\\x3a{bare[2:]}"


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    code = ord(char)
    return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(char) or (
        f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
