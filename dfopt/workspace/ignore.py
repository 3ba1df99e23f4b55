"""Patterns with the meaning of .gitignore, by the library pathspec, which is imported only where there are any."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec import GitIgnoreSpec


class Rules:
    """Patterns that hold below one directory (`base`, absolute)."""

    __slots__ = ("_spec", "base", "lines")

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self.base = os.path.join(base, "")
        self.lines = tuple(lines)
        self._spec: GitIgnoreSpec | None = None

    def decide(self, absolute: str, is_directory: bool) -> bool | None:
        """Whether a path is left out (True), taken in again (False), or not spoken of (None)."""
        if not absolute.startswith(self.base):
            return None
        if self._spec is None:
            self._spec = _compile(self.lines)
        path = absolute[len(self.base) :]
        return self._spec.check_file(path + "/" if is_directory else path).include


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


def _compile(lines: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:  # git passes over a pattern that is none
        return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
