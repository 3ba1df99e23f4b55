"""text: for each finding the line that `concise` prints, then the first source line with a caret."""

from __future__ import annotations

from dfopt.cli import style
from dfopt.cli.out import printable
from dfopt.cli.report.base import FileReport, ReportItem
from dfopt.cli.report.concise import Concise
from dfopt.messages import printable_lines

_WIDTH = 100  # columns of an excerpt
_LEAD = 30  # columns before the place, if the line must be cut


class Text(Concise):
    def file(self, report: FileReport) -> str:
        parts: list[str] = []
        lines = report.text.split("\n") if report.items else []
        for item in report.items:
            parts.append(f"{self.line(report, item)}\n{self._excerpt(report, item, lines)}\n")
        return printable_lines("".join(parts), self.color)

    def _excerpt(self, report: FileReport, item: ReportItem, lines: list[str]) -> str:
        line = lines[item.line - 1] if item.line <= len(lines) else ""
        if item.line == 1:
            line = line.lstrip("\ufeff")
        line = line.rstrip("\r")
        start = min(item.column - 1, len(line))
        stop = min(item.end_column - 1, len(line)) if item.end_line == item.line else len(line)
        cut = max(0, start - _LEAD) if len(line) > _WIDTH else 0
        window = line[cut : cut + _WIDTH]
        head, tail = "..." if cut else "", "..." if cut + _WIDTH < len(line) else ""
        before = head + _shown(window[: start - cut])
        marked = _shown(window[start - cut : max(start, stop) - cut])
        excerpt = before + marked + _shown(window[max(start, stop) - cut :]) + tail
        number = str(item.line)
        gutter = " " * len(number)
        carets = style.paint("^" * max(1, _columns(marked)), style.TIERS.get(item.label, ""), self.color)
        return f"{gutter} |\n{number} | {excerpt}\n{gutter} | {' ' * _columns(before)}{carets}\n"


def _shown(text: str) -> str:
    """A piece of a line for a terminal: tabs as four blanks, other control characters as escapes."""
    return printable(text.replace("\t", "    "))


def _columns(text: str) -> int:
    """The number of terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
