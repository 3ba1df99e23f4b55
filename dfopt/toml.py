"""TOML texts: reading them with the place of what is wrong, and where a key stands (the library does not tell)."""

from __future__ import annotations

import re
import sys

from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOKEN = regex(
    r"(?P<space>[ \t\r]+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)"
    r'|(?P<string>"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=.,])|(?P<bare>[^\s\[\]{}=.,\"'#]+)",
    re.S,
)

_LONG_NUMBER = regex(r"[0-9_]{4000}")

Key = tuple["str | int", ...]
"""A path into a document: names of keys, and numbers (from 0) in lists and arrays of tables."""


class TomlError(ValueError):
    """A text that is no TOML. `line` and `column` count from 1; 0 where the place is not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def parse(content: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a TOML document, and its table. Raises TomlError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = content.count(b"\n", 0, failure.start) + 1
        column = failure.start - content.rfind(b"\n", 0, failure.start)
        raise TomlError("not UTF-8", line, column) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise _syntax_error(str(failure), text) from None
    except RecursionError:
        raise TomlError("nested too deeply") from None
    except ValueError:  # Python converts no more than some thousand digits; the library lets its error through
        long = _LONG_NUMBER.search(text)
        offset = long.start() if long else 0
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        raise TomlError("a number that is too large, or a date that does not exist", line, column) from None


def _syntax_error(message: str, text: str) -> TomlError:
    """The library puts the place into its message: "... (at line 3, column 5)" or "(at end of document)"."""
    head, found, place = message.rpartition(" (at ")
    if not found:
        return TomlError(message)
    numbers = [int(word) for word in place.replace(",", " ").replace(")", " ").split() if word.isdigit()]
    if len(numbers) == 2:
        return TomlError(head, numbers[0], numbers[1])
    return TomlError(f"{head} at the end of the file", text.count("\n") + 1, len(text) - text.rfind("\n"))


def place_of(text: str, key: Key) -> tuple[int, int]:
    """Line and column (from 1) of the last part of `key`, in a text that `parse` reads; of the nearest table above it
    where it has no place of its own; (1, 1) where none is found."""
    places = _Places(text).found
    while key and key not in places:
        key = key[:-1]
    offset = places.get(key, 0)
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Places:
    """`found`: the offset of the first mention of every key, and of every key that is part of a longer one."""

    def __init__(self, text: str) -> None:
        self.found: dict[Key, int] = {}
        self.arrays: dict[Key, int] = {}  # arrays of tables -> how many there are so far
        self.tokens = [
            (match.lastgroup or "", match.group(), match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup not in ("space", "comment")
        ]
        table: Key = ()
        at = 0
        while at < len(self.tokens):
            kind, word, _ = self.tokens[at]
            if kind == "newline":
                at += 1
            elif word == "[":
                array = self.word(at + 1) == "["
                table, at = self.key(at + 2 if array else at + 1, (), array)
                at = self.line_end(at)
            else:
                at = self.pair(at, table)

    def word(self, at: int) -> str:
        return self.tokens[at][1] if at < len(self.tokens) else ""

    def pair(self, at: int, table: Key) -> int:
        """Reads `key = value`; returns the index behind it."""
        key, at = self.key(at, table)
        return self.value(at + 1, key)

    def value(self, at: int, key: Key) -> int:
        """Reads a value, the keys of inline tables too; returns the index behind it."""
        if at >= len(self.tokens):
            return at
        opening = self.tokens[at][1] if self.tokens[at][0] == "mark" else ""
        if opening == "[":
            at += 1
            number = 0
            while at < len(self.tokens) and not (self.tokens[at][0] == "mark" and self.tokens[at][1] == "]"):
                if self.tokens[at][1] in (",", "\n"):
                    at += 1
                    continue
                self.found.setdefault((*key, number), self.tokens[at][2])
                at = self.value(at, (*key, number))
                number += 1
            return at + 1
        if opening == "{":
            at += 1
            while at < len(self.tokens) and self.tokens[at][1] != "}":
                at = self.pair(at, key) if self.tokens[at][1] not in (",", "\n") else at + 1
            return at + 1
        while at < len(self.tokens) and self.tokens[at][0] != "newline" and self.tokens[at][1] not in (",", "]", "}"):
            at += 1
        return at

    def key(self, at: int, table: Key, array: bool = False) -> tuple[Key, int]:
        """Reads a dotted key (`array`: the name of an array of tables, which gains one); returns it, in the last table
        of each array, and the index of what follows it."""
        key = table
        while at < len(self.tokens) and self.tokens[at][0] in ("bare", "string"):
            kind, word, offset = self.tokens[at]
            key = (*key, word if kind == "bare" else word[1:-1])
            self.found.setdefault(key, offset)
            at += 1
            more = self.word(at) == "."
            if array and not more:
                self.arrays[key] = self.arrays.get(key, 0) + 1
            if key in self.arrays:
                key = (*key, self.arrays[key] - 1)
                self.found.setdefault(key, offset)
            if not more:
                break
            at += 1
        return key, at

    def line_end(self, at: int) -> int:
        while at < len(self.tokens) and self.tokens[at][0] != "newline":
            at += 1
        return at
