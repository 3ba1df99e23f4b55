"""What a shell text tells by itself: its tree, and what was derived of that tree and of nothing else.

The same RUN stands in many files of a repository, and in a file before and after a fix of another RUN. Everything here
is a function of the text alone, so that it is computed once and kept; how many texts are kept is bounded.
"""

from __future__ import annotations

from dfopt.syntax.shell import ShellSyntaxError, parse_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from dfopt.ir.commands import CommandList
    from dfopt.ir.shell_body import Body
    from dfopt.syntax.shell.nodes import ShellProgram

    Value = TypeVar("Value")

KEPT = 64  # texts, and as many that were used before those: some 5 MB
LONGEST = 16_384  # characters: longer texts are no common ones


class Told:
    """One shell text.

    tree      None where it is not understood, and then `why` says so
    commands  its invocations, when they were asked for
    derived   anything else, by the name of what derives it and what it depends on besides the text
    """

    __slots__ = ("commands", "derived", "tree", "why")

    def __init__(self, text: str) -> None:
        self.tree: ShellProgram | None = None
        self.why = ""
        try:
            self.tree = parse_shell(text)
        except ShellSyntaxError as error:
            self.why = error.message
        self.commands: CommandList | None = None
        self.derived: dict[Any, Any] = {}


def kept(body: Body, key: object, make: Callable[[Body], Value]) -> Value:
    """`make(body)`, which depends on the body's text and on what is in `key` alone: made once for each text."""
    if body.told is None:
        return make(body)
    derived = body.told.derived
    if key not in derived:
        derived[key] = make(body)
    found: Value = derived[key]
    return found


_recent: dict[str, Told] = {}
_before: dict[str, Told] = {}


def told(text: str) -> Told:
    """What `text` tells; not to be changed by who asks, but for what it keeps."""
    global _recent, _before
    found = _recent.get(text)
    if found is not None:
        return found
    found = _before.pop(text, None) or Told(text)
    if len(text) <= LONGEST:
        if len(_recent) >= KEPT:
            _before, _recent = _recent, {}
        _recent[text] = found
    return found
