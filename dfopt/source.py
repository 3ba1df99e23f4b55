"""Bytes to text and back, and positions in a text.

A `Source` holds a file as it was read. Its text is UTF-8 decoded with surrogateescape, so that any bytes come back
unchanged. All spans in dfopt are half-open ranges of code points of that text.

Two kinds of lines exist and must not be mixed up: the Dockerfile's own (ended by "\\n" alone) and an editor's
(Language Server Protocol 3.17: "\\n", "\\r\\n" or "\\r"). `LineIndex` serves both.
"""

from __future__ import annotations

from bisect import bisect_right

from dfopt.record import Record

BOM = "\ufeff"


class Source(Record):
    """One file: the name to show for it, and its text (UTF-8, undecodable bytes as lone surrogates)."""

    name: str
    text: str

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "Dockerfile") -> Source:
        return cls(name, decode(data))

    def to_bytes(self) -> bytes:
        return encode(self.text)


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of `decode`. A pass that invents lone surrogates outside U+DC80..U+DCFF gets a UnicodeEncodeError."""
    return text.encode("utf-8", "surrogateescape")


class LineIndex:
    """Offsets to lines and columns of one text, and back.

    `lsp=False`: a line ends with "\\n" only (Dockerfile rule). `lsp=True`: "\\r\\n" and a lone "\\r" end a line too.
    Lines and columns count from 0 here; what is shown to people counts from 1.
    """

    __slots__ = ("starts", "text")

    def __init__(self, text: str, *, lsp: bool = False) -> None:
        self.text = text
        starts = [0]
        find = text.find
        if lsp and "\r" in text:
            at = 0
            for at, char in enumerate(text):
                if char == "\n" or (char == "\r" and text[at + 1 : at + 2] != "\n"):
                    starts.append(at + 1)
        else:
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
        self.starts = starts

    def line(self, offset: int) -> int:
        """The line (from 0) that holds `offset`."""
        return bisect_right(self.starts, offset) - 1

    def position(self, offset: int, unit: str = "utf-32") -> tuple[int, int]:
        """Line and column (from 0) of `offset`; the column counts `unit`s: "utf-8", "utf-16" or "utf-32"."""
        line = self.line(offset)
        return line, width(self.text[self.starts[line] : offset], unit)

    def offset(self, line: int, column: int, unit: str = "utf-32") -> int:
        """The offset of a line and column (from 0). A column past the line's end means its end (LSP rule), one inside
        a character means its start; a line past the last means the end of the text."""
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        if unit == "utf-32" or content.isascii():
            return start + min(column, len(content))
        used = 0
        for at, char in enumerate(content):
            used += width(char, unit)
            if used > column:
                return start + at
        return start + len(content)


def width(text: str, unit: str) -> int:
    """Length of `text` in code units of "utf-8", "utf-16" or "utf-32". An undecodable byte counts one everywhere."""
    if unit == "utf-32" or text.isascii():
        return len(text)
    if unit == "utf-16":
        return len(text) + sum(char > "\uffff" for char in text)
    if unit == "utf-8":
        return len(encode(text))
    raise ValueError(f"unknown position encoding: {unit}")
