"""The work that one file may take, counted in questions about its steps: a file cannot hold up a run, or an editor."""

from __future__ import annotations

LIMIT = 20_000_000  # half a minute; a file of a thousand instructions takes about a hundredth


class TooMuchWorkError(Exception):
    """The file takes more than its share of work."""


class Work:
    """What is left of a file's share, through all rounds of its optimization."""

    __slots__ = ("left",)

    def __init__(self, limit: int = LIMIT) -> None:
        self.left = limit

    def spend(self) -> None:
        """Counts one question. Raises TooMuchWorkError."""
        self.left -= 1
        if self.left < 0:
            raise TooMuchWorkError
