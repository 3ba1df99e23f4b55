"""Patterns with the meaning of .gitignore, by the library pathspec, which is imported only where there are any."""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable


class Rules:
    """Patterns that hold below one directory (`base`, absolute).

    They are asked about one entry of a directory at a time, by a walk that does not enter what is left out. So a
    pattern counts where it matches the entry itself, and the last one that does decides; the library's own verdict is
    about whole paths, and cannot take a directory in again (`*`, then `!*/`).
    """

    __slots__ = ("_patterns", "base", "lines")

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self.base = os.path.join(base, "")
        self.lines = tuple(lines)
        self._patterns: list[tuple[bool, re.Pattern[str]]] | None = None

    def decide(self, absolute: str, is_directory: bool) -> bool | None:
        """Whether a path is left out (True), taken in again (False), or not spoken of (None)."""
        if not absolute.startswith(self.base):
            return None
        if self._patterns is None:
            self._patterns = _compile(self.lines)
        path = absolute[len(self.base) :].replace(os.sep, "/")
        if is_directory:
            path += "/"
        for include, regex in self._patterns:
            if any(_end(match) == len(path) for match in regex.finditer(path)):
                return include
        return None


def rules_of(directory: str) -> Rules | None:
    """The rules of a directory's .gitignore; None where it says nothing or cannot be read (as git has it)."""
    return _read(os.path.join(directory, ".gitignore"), directory)


def rules_above(directory: str) -> list[Rules]:
    """The rules of the .gitignore files above `directory` up to the root of its repository, outermost first, and of
    the repository's .git/info/exclude. Nothing outside a repository."""
    above: list[str] = []
    at = directory
    while not os.path.lexists(os.path.join(at, ".git")):
        parent = os.path.dirname(at)
        if parent == at:
            return []
        at = parent
        above.append(at)
    found = [_read(os.path.join(at, ".git", "info", "exclude"), at)]
    found += [rules_of(one) for one in reversed(above)]
    return [rules for rules in found if rules]


def _read(path: str, base: str) -> Rules | None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return None
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    lines = [line.rstrip("\r") for line in lines if line.strip() and not line.startswith("#")]
    return Rules(base, lines) if lines else None


def _compile(lines: tuple[str, ...]) -> list[tuple[bool, re.Pattern[str]]]:
    """Whether a pattern leaves out, and its regular expression; the last pattern first."""
    from pathspec import GitIgnoreSpec

    try:
        patterns = list(GitIgnoreSpec.from_lines(lines).patterns)
    except ValueError:  # git passes over a pattern that is none
        patterns = []
        for line in lines:
            with suppress(ValueError):
                patterns += GitIgnoreSpec.from_lines([line]).patterns
    return [
        (pattern.include, pattern.regex)
        for pattern in reversed(patterns)
        if pattern.include is not None and pattern.regex is not None
    ]


def _end(match: re.Match[str]) -> int:
    """Where the name ends that a pattern matched: behind the slash of a directory (the library's group `ps_d`), so
    that a match of a directory above the entry is told from one of the entry."""
    mark = match.end("ps_d") if "ps_d" in match.re.groupindex else -1
    return mark if mark >= 0 else match.end()
