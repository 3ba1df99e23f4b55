"""Converts between spans of a text and an editor's ranges.

A range is (line, column, end line, end column), from 0; columns count code units of the position encoding that client
and server agreed on. Lines are the protocol's (Language Server Protocol 3.17, "Text Documents"): they end with "\\n",
"\\r\\n" or "\\r", and with nothing else.
"""

from __future__ import annotations

from dfopt.edit import Edit, ordered
from dfopt.source import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Range: TypeAlias = tuple[int, int, int, int]


class Places:
    """Offsets of one text to positions and back. `unit`: "utf-8", "utf-16" or "utf-32"."""

    __slots__ = ("index", "text", "unit")

    def __init__(self, text: str, unit: str) -> None:
        self.text = text
        self.unit = unit
        self.index = LineIndex(text, lsp=True)

    def range(self, start: int, end: int) -> Range:
        """The range of a span."""
        return (*self.index.position(start, self.unit), *self.index.position(max(start, end), self.unit))

    def offset(self, line: int, column: int) -> int:
        """The offset of a position."""
        return self.index.offset(line, column, self.unit)

    def line_span(self, offset: int) -> tuple[int, int]:
        """The span of the line that contains `offset`, without its line ending."""
        line = self.index.line(offset)
        starts = self.index.starts
        end = starts[line + 1] if line + 1 < len(starts) else len(self.text)
        return starts[line], starts[line] + len(self.text[starts[line] : end].rstrip("\r\n"))


def minimal(text: str, edits: Iterable[Edit]) -> list[Edit]:
    """The same change in as few characters as possible, with no edit that begins or ends between "\\r" and "\\n":
    editors have no position there. Raises OverlapError."""
    joined: list[Edit] = []
    for edit in ordered(edits):
        if joined and joined[-1].end == edit.start:
            last = joined.pop()
            edit = Edit(last.start, edit.end, last.text + edit.text)
        joined.append(edit)
    result = [_trimmed(text, edit) for edit in joined]
    return [edit for edit in result if edit.start < edit.end or edit.text]


def _trimmed(text: str, edit: Edit) -> Edit:
    old, new = text[edit.start : edit.end], edit.text
    least = min(len(old), len(new))
    head = 0
    while head < least and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start, end = edit.start + head, edit.end - tail
    new = new[head : len(new) - tail]
    if start == end and not new:
        return Edit(start, end, "")
    if _inside_newline(text, start):
        start -= 1
        new = "\r" + new
    if _inside_newline(text, end):
        end += 1
        new += "\n"
    return Edit(start, end, new)


def _inside_newline(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1] == "\r" and text[at] == "\n"
