"""Patterns of absolute paths: `*` and `?` match within one name, `**` as a whole name matches any number of names, and
a leading `~` matches any home directory."""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of `pattern`, for fullmatch. `/a/**` is everything below /a, not /a itself.

    Raises ValueError if the pattern is not absolute or contains an empty name, `.` or `..`.
    """
    names = pattern.split("/")
    if names[0] not in ("", "~") or len(names) < 2 or any(name in ("", ".", "..") for name in names[1:]):
        raise ValueError(f"not a pattern of absolute paths: {pattern!r}")
    out = ""
    for position, name in enumerate(names[1:], 1):
        if name == "**":
            out += "/.+" if position == len(names) - 1 else "(?:/[^/]+)*"
        else:
            out += "/" + "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in name)
    if names[0] == "~":
        out = f"(?:/root|/home/[^/]+){out}|{out}"  # the home of a user without one is the root directory
    return re.compile(out, re.DOTALL)


def parents(pattern: str) -> list[str]:
    """The patterns of the directories above a path that `pattern` matches, where those have names of their own."""
    names = pattern.split("/")
    directories: list[str] = []
    for count in range(2, len(names)):
        if names[count - 1] == "**":
            break
        directories.append("/".join(names[:count]))
    return directories
