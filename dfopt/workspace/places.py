"""Where in a TOML text a key stands: the library's parser does not tell.

The text has been parsed before, so that only valid TOML comes here.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.workspace.config import Setting

_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)"
    r'|(?P<string>"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=.,])|(?P<bare>[^\s\[\]{}=.,\"'#]+)",
    re.S,
)


def place_of(text: str, key: tuple[str, ...]) -> tuple[int, int]:
    """Line and column (from 1) of the last part of `key`; of the nearest table above it where it has no place of its
    own; (1, 1) where none is found."""
    places = _places(text)
    while key and key not in places:
        key = key[:-1]
    offset = places.get(key, 0)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def place_of_setting(setting: Setting) -> str:
    """`FILE:LINE:COLUMN` of a setting; the file alone where it has gone or changed beyond reading."""
    prefix = ("tool", "dfopt") if setting.file.rpartition("/")[2] == "pyproject.toml" else ()
    try:
        with open(setting.file, encoding="utf-8", newline="") as file:
            line, column = place_of(file.read(), (*prefix, *setting.key))
    except (OSError, ValueError):
        return setting.file
    return f"{setting.file}:{line}:{column}"


def _places(text: str) -> dict[tuple[str, ...], int]:
    """The offset of the first mention of every key, and of every key that is part of a longer one."""
    places: dict[tuple[str, ...], int] = {}
    tokens = [
        (match.lastgroup or "", match.group(), match.start())
        for match in _TOKEN.finditer(text)
        if match.lastgroup not in ("space", "comment")
    ]
    table: tuple[str, ...] = ()
    at = 0
    while at < len(tokens):
        kind, word, _ = tokens[at]
        if kind == "newline":
            at += 1
        elif word == "[":
            at += 2 if at + 1 < len(tokens) and tokens[at + 1][1] == "[" else 1
            table, at = _key(tokens, at, (), places)
            at = _line_end(tokens, at)
        else:
            at = _pair(tokens, at, table, places)
    return places


def _pair(
    tokens: list[tuple[str, str, int]], at: int, table: tuple[str, ...], places: dict[tuple[str, ...], int]
) -> int:
    """Reads `key = value`; returns the index behind it."""
    key, at = _key(tokens, at, table, places)
    return _value(tokens, at + 1, key, places)


def _value(
    tokens: list[tuple[str, str, int]], at: int, key: tuple[str, ...], places: dict[tuple[str, ...], int]
) -> int:
    """Reads a value, the keys of inline tables too; returns the index behind it."""
    if at >= len(tokens):
        return at
    opening = tokens[at][1] if tokens[at][0] == "mark" else ""
    if opening == "[":
        at += 1
        while at < len(tokens) and not (tokens[at][0] == "mark" and tokens[at][1] == "]"):
            at = _value(tokens, at, key, places) if tokens[at][1] not in (",", "\n") else at + 1
        return at + 1
    if opening == "{":
        at += 1
        while at < len(tokens) and tokens[at][1] != "}":
            at = _pair(tokens, at, key, places) if tokens[at][1] not in (",", "\n") else at + 1
        return at + 1
    while at < len(tokens) and tokens[at][0] != "newline" and tokens[at][1] not in (",", "]", "}"):
        at += 1
    return at


def _key(
    tokens: list[tuple[str, str, int]], at: int, table: tuple[str, ...], places: dict[tuple[str, ...], int]
) -> tuple[tuple[str, ...], int]:
    """Reads a dotted key; returns it and the index of what follows it."""
    key = table
    while at < len(tokens) and tokens[at][0] in ("bare", "string"):
        kind, word, offset = tokens[at]
        key = (*key, word if kind == "bare" else word[1:-1])
        places.setdefault(key, offset)
        at += 1
        if at < len(tokens) and tokens[at][1] == ".":
            at += 1
        else:
            break
    return key, at


def _line_end(tokens: list[tuple[str, str, int]], at: int) -> int:
    while at < len(tokens) and tokens[at][0] != "newline":
        at += 1
    return at
