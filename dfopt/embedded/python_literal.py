"""String literals of Python: what each character is written as, and how other text is written between its quotes.

Rules: the Python language reference, "String and Bytes literals". Byte strings are taken where they are ASCII.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from dfopt.embedded.model import Unmappable

if TYPE_CHECKING:
    from collections.abc import Callable

_LITERAL = re.compile(r"(?P<prefix>[rRbBuU]{0,2})(?P<quote>'''|\"\"\"|'|\")(?P<body>.*)(?P=quote)\Z", re.S)
_ESCAPE = re.compile(
    r"\\(?:\r\n|[\n\r\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|N\{[^}]*\}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
)


def literal_map(source: str) -> tuple[str, tuple[int, ...]] | None:
    """The text that a literal stands for, and for each of its characters and its end the offset in `source`; None
    where that is unknown."""
    match = _LITERAL.match(source)
    if match is None:
        return None
    raw = "r" in match["prefix"].lower()
    at, end = match.start("body"), match.end("body")
    text: list[str] = []
    offsets: list[int] = []
    while at < end:
        step, piece = 1, source[at]
        escape = None if raw or piece != "\\" else _ESCAPE.match(source, at, end)
        if piece == "\\" and not raw and escape is None:
            return None  # a backslash that stands for itself by accident: text inserted after it would change it
        if escape is not None:
            step, piece = len(escape[0]), _decoded(escape[0])
        elif source.startswith("\r\n", at):
            step, piece = 2, "\n"
        elif piece == "\r":
            piece = "\n"
        for char in piece:
            text.append(char)
            offsets.append(at)
        at += step
    offsets.append(end)
    value = "".join(text)
    try:
        literal = ast.literal_eval(source)
    except (SyntaxError, ValueError):
        return None
    if isinstance(literal, bytes):
        literal = literal.decode("ascii", "replace")
    return (value, tuple(offsets)) if value == literal else None


def _decoded(escape: str) -> str:
    """What an escape stands for: nothing for a backslash at a line's end."""
    if escape[1] in "\n\r":
        return ""
    return str(ast.literal_eval(f'"{escape}"' if escape[1] != '"' else f"'{escape}'"))


def writer(source: str, newline: str) -> Callable[[str, int, int], str]:
    """A function that writes text as part of the literal `source`. It raises Unmappable for what its kind of literal
    cannot hold."""
    match = _LITERAL.match(source)
    assert match is not None
    prefix, quote = match["prefix"].lower(), match["quote"]
    long = len(quote) == 3

    def write(new: str, start: int, end: int) -> str:
        if any("\ud800" <= char <= "\udfff" or (char < " " and char not in "\n\t") for char in new):
            raise Unmappable("it holds characters that are no text")
        if "b" in prefix and not new.isascii():
            raise Unmappable("a byte string holds ASCII only")
        if "r" in prefix:
            if quote[0] in new or new.endswith("\\") or ("\n" in new and not long):
                raise Unmappable("a raw string cannot hold it")
            return new.replace("\n", newline)
        escaped = new.replace("\\", "\\\\").replace(quote[0], "\\" + quote[0])
        return escaped.replace("\n", newline if long else "\\n")

    return write
