"""Patterns of absolute paths: `*` and `?` match within one name, `**` as a whole name matches any number of names, and
a leading `~` matches any home directory."""

from __future__ import annotations

from dfopt.syntax import automaton
from dfopt.syntax.automaton import LinearPattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.automaton import Node

_SLASH = automaton.char("/")
_NAME = automaton.repeat(automaton.NOT_SLASH, 1, None)
_HOME = automaton.sequence([automaton.literal("/home/"), _NAME])
_WILDCARDS = {"*": automaton.any_number(automaton.NOT_SLASH), "?": automaton.NOT_SLASH}


def compile_pattern(pattern: str) -> LinearPattern:
    """The matcher of `pattern`, for fullmatch. `/a/**` is everything below /a, not /a itself.

    Raises ValueError if the pattern is not absolute or contains an empty name, `.` or `..`.
    """
    names = pattern.split("/")
    if names[0] not in ("", "~") or len(names) < 2 or any(name in ("", ".", "..") for name in names[1:]):
        raise ValueError(f"not a pattern of absolute paths: {pattern!r}")
    nodes: list[Node] = []
    for position, name in enumerate(names[1:], 1):
        if name == "**":
            last = position == len(names) - 1
            below = automaton.repeat(automaton.ANY, 1, None) if last else _NAME
            nodes.append(automaton.sequence([_SLASH, below]))
            if not last:
                nodes[-1] = automaton.any_number(nodes[-1])
        else:
            nodes += [_SLASH, *[_WILDCARDS.get(char) or automaton.literal(char) for char in name]]
    if names[0] == "~":  # the home of a user without one is the root directory
        nodes.insert(0, automaton.optional(automaton.either([automaton.literal("/root"), _HOME])))
    return LinearPattern(automaton.sequence(nodes))


def parents(pattern: str) -> list[str]:
    """The patterns of the directories above a path that `pattern` matches, where those have names of their own."""
    names = pattern.split("/")
    directories: list[str] = []
    for count in range(2, len(names)):
        if names[count - 1] == "**":
            break
        directories.append("/".join(names[:count]))
    return directories
