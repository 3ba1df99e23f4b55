"""JSON as located values, with the comments and trailing commas that editors allow (JSON with Comments)."""

from __future__ import annotations

import re

from dfopt.build_definitions.located import LocatedValue
from dfopt.build_definitions.model import DEEPEST, DefinitionError
from dfopt.lazy import regex

_SPACE = regex(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.S)
_STRING = regex(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_WORD = regex(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")


def read_json(text: str, file: str, comments: bool = False) -> LocatedValue:
    """The value of a JSON text. Raises DefinitionError."""
    reader = _Reader(text, file, comments)
    value, end = reader.value(reader.space(0), 0)
    if reader.space(end) < len(text):
        raise reader.error("text behind the end of the value", reader.space(end))
    return value


class _Reader:
    def __init__(self, text: str, file: str, comments: bool) -> None:
        self.text = text
        self.file = file
        self.comments = comments
        self.line = 1  # of `self.at`: places are asked for in order
        self.line_start = 0
        self.at = 0

    def place(self, offset: int) -> tuple[int, int]:
        if offset < self.at:
            self.line, self.line_start, self.at = 1, 0, 0
        self.line += self.text.count("\n", self.at, offset)
        newline = self.text.rfind("\n", self.at, offset)
        if newline >= 0:
            self.line_start = newline + 1
        self.at = offset
        return self.line, offset - self.line_start + 1

    def error(self, message: str, offset: int) -> DefinitionError:
        return DefinitionError(f"not JSON: {message}", self.file, *self.place(offset))

    def space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        assert match is not None
        if not self.comments and "/" in match[0]:
            raise self.error("a comment", at + match[0].index("/"))
        return match.end()

    def value(self, at: int, depth: int) -> tuple[LocatedValue, int]:
        char = self.text[at : at + 1]
        line, column = self.place(at)
        if depth > DEEPEST:
            raise self.error("nested too deeply", at)
        if char == '"':
            string, end = self.string(at)
            return LocatedValue(string, line, column), end
        if char == "{":
            return self.members(at, depth, line, column)
        if char == "[":
            return self.elements(at, depth, line, column)
        match = _WORD.match(self.text, at)
        if match is None:
            raise self.error("a value was expected", at)
        return LocatedValue(None if match[0] == "null" else match[0], line, column, False), match.end()

    def string(self, at: int) -> tuple[str, int]:
        match = _STRING.match(self.text, at)
        if match is None:
            raise self.error("a string was expected", at)
        if "\\" not in match[0]:
            return match[0][1:-1], match.end()
        import json

        return str(json.loads(match[0])), match.end()

    def members(self, at: int, depth: int, line: int, column: int) -> tuple[LocatedValue, int]:
        values: dict[str, LocatedValue] = {}
        end = self.space(at + 1)
        while self.text[end : end + 1] != "}":
            key, end = self.string(end)
            end = self.space(end)
            if self.text[end : end + 1] != ":":
                raise self.error("a colon was expected", end)
            values[key], end = self.value(self.space(end + 1), depth + 1)
            end = self.separator(end, "}")
        return LocatedValue(values, line, column), end + 1

    def elements(self, at: int, depth: int, line: int, column: int) -> tuple[LocatedValue, int]:
        values: list[LocatedValue] = []
        end = self.space(at + 1)
        while self.text[end : end + 1] != "]":
            value, end = self.value(end, depth + 1)
            values.append(value)
            end = self.separator(end, "]")
        return LocatedValue(values, line, column), end + 1

    def separator(self, at: int, closing: str) -> int:
        """Where the next member begins, or the closing bracket stands."""
        at = self.space(at)
        if self.text[at : at + 1] == closing:
            return at
        if self.text[at : at + 1] != ",":
            raise self.error(f"a comma or {closing} was expected", at)
        following = self.space(at + 1)
        if self.text[following : following + 1] == closing and not self.comments:
            raise self.error("a comma behind the last value", at)
        return following
