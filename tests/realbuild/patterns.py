"""Patterns of absolute paths: `*` and `?` stay within one name, `**` as a whole name stands for any number of names."""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of `pattern`, to be used with fullmatch. `/a/**` is everything below /a, not /a itself.

    Raises ValueError when the pattern is not absolute, or holds an empty name, `.` or `..`.
    """
    names = pattern.split("/")
    if names[0] != "" or len(names) < 2 or any(name in ("", ".", "..") for name in names[1:]):
        raise ValueError(f"not a pattern of absolute paths: {pattern!r}")
    out = ""
    for position, name in enumerate(names[1:], 1):
        if name == "**":
            out += "/.+" if position == len(names) - 1 else "(?:/[^/]+)*"
        else:
            out += "/" + "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in name)
    return re.compile(out, re.DOTALL)
