"""The tree of a shell text, and what was derived from that tree and from nothing else.

The same RUN stands in many files of a repository, and in a file before and after a fix of another RUN. Everything here
is a function of the text alone, so it is computed once and cached; the cache is bounded.
"""

from __future__ import annotations

from dfopt.syntax.shell import ShellSyntaxError, parse_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.syntax.shell.nodes import ShellProgram

MAX_TEXTS = 64  # texts in each of two generations: some 5 MB
MAX_LENGTH = 16_384  # characters: longer texts rarely repeat


class ShellText:
    """One shell text.

    tree      None where it cannot be parsed, and then `why` says why not
    derived   what analyses computed from the tree, by the name of the analysis and its other inputs
    """

    __slots__ = ("derived", "tree", "why")

    def __init__(self, text: str) -> None:
        self.tree: ShellProgram | None = None
        self.why = ""
        try:
            self.tree = parse_shell(text)
        except ShellSyntaxError as error:
            self.why = error.message
        self.derived: dict[Any, Any] = {}


_recent: dict[str, ShellText] = {}
_before: dict[str, ShellText] = {}


def shell_text(text: str) -> ShellText:
    """The cached analysis of `text`. Callers must not mutate it, except to add to `derived`."""
    global _recent, _before
    cached = _recent.get(text)
    if cached is not None:
        return cached
    cached = _before.pop(text, None) or ShellText(text)
    if len(text) <= MAX_LENGTH:
        if len(_recent) >= MAX_TEXTS:
            _before, _recent = _recent, {}
        _recent[text] = cached
    return cached
