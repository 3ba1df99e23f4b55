"""Words: unquoted characters, quotes and expansions that stand together, and what the word's string is."""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.shell.escapes import expands_braces, mask, unescape
from dfopt.syntax.shell.expansions import LONE_DOLLAR, SPECIAL_PARAMETER
from dfopt.syntax.shell.here_documents import HereDocuments
from dfopt.syntax.shell.lexer import NAME, PLAIN
from dfopt.syntax.shell.nodes import (
    AnsiQuoted,
    DoubleQuoted,
    ExtGlob,
    Literal,
    Parameter,
    SingleQuoted,
    Word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Part

# Where a word stands decides what may happen to it after quotes and expansions are read.
ARGUMENT = 0  # wildcards, braces, tilde
VALUE = 1  # of an assignment: tilde, also after a colon
PATTERN = 2  # of case and [[ ]]: wildcards, tilde
SUBJECT = 3  # of case, a here-string: tilde
REGEX = 4  # after =~: parentheses and bars belong to the word

_PART = regex(
    rf"""((?:[^ \t\n;&|()<>"'\\$`]+|\\[\s\S]|{LONE_DOLLAR[:-1]}|["']))+)"""
    rf"""|'([^']*)'|"([^"\\$`]*)"|\$({NAME}|{SPECIAL_PARAMETER})|\$\{{({NAME})\}}"""
    rf"""|"\$(?:({NAME})|\{{({NAME})\}})\""""
)
_ACTIVE = re.compile(r"[*?\[{~\\]").search
_ASSIGNED_TILDE = regex(rf"{NAME}\+?=(?:~|.*:~)", re.S)
_EXTGLOB = frozenset("?*+@!")
DESCRIPTOR = re.compile(rf"(?:[0-9]+|\{{{NAME}\}})\Z").match


class Words(HereDocuments):
    __slots__ = ()

    def word(self, pos: int, mode: int = ARGUMENT) -> Word:
        """The word at `pos`; it may be empty only where nothing that belongs to a word stands there."""
        text = self.text
        start = pos
        parts: list[Part] = []
        value: str | None = ""
        active = False
        while True:
            match = _PART.match(text, pos)
            if match is not None:
                end = match.end()
                kind = match.lastindex
                part: Part | None
                if kind == 1:
                    string: str | None = match[1]
                    if _ACTIVE(string):  # type: ignore[arg-type]
                        active = True
                        string = unescape(string)  # type: ignore[arg-type]
                    part = Literal(pos, end, string)  # type: ignore[arg-type]
                elif kind == 2:
                    string = match[2]
                    part = SingleQuoted(pos, end, string)
                elif kind == 3:
                    string = match[3]
                    part = DoubleQuoted(pos, end, (Literal(pos + 1, end - 1, string),) if string else ())
                elif kind < 6:  # type: ignore[operator]  # some group always matches
                    if self.continued:
                        self._whole_name(pos, end)
                    string = None
                    part = Parameter(pos, end, match[kind])  # type: ignore[index]
                else:
                    string = None
                    part = DoubleQuoted(pos, end, (Parameter(pos + 1, end - 1, match[kind]),))  # type: ignore[index]
            else:
                part, string = self._part(pos, parts, mode)
                if part is None:
                    break
                end = self.pos
            parts.append(part)
            if value is not None:
                value = None if string is None else value + string
            pos = end
        if active:
            if text[pos - 1] == "\n":
                pos = self._trim(start, pos, parts)
            value = self._resolve(start, parts, value, mode)
        self.pos = pos
        return Word(start, pos, tuple(parts), value)

    def _part(self, pos: int, parts: list[Part], mode: int) -> tuple[Part | None, str | None]:
        """A part that is not simple, with its string if it has one; None at the end of the word."""
        text = self.text
        char = text[pos : pos + 1]
        if char == '"':
            string = self.quoted(pos)
            return string, _string(string)
        if char == "$":
            part: Part | None = self.dollar(pos, quoted=False)
            assert part is not None  # the pattern above takes an ordinary $
            if type(part) is AnsiQuoted:
                return part, part.value
            return part, None
        if char == "`":
            return self.backquoted(pos, quoted=False), None
        if char == "'":
            self.fail("unterminated single quote", pos)
        if char == "\\":
            # shells keep such a backslash, but it would quote whatever is put after it
            self.fail("a backslash at the end of the text", pos)
        if char in ("<", ">") and text[pos + 1 : pos + 2] == "(":
            return self.process(pos), None
        if char == "(":
            if mode == REGEX:
                close, inside, _ = self.balanced(pos + 1)
                self.pos = close + 1
                return ExtGlob(pos, close + 1, text[pos : close + 1], inside), None
            return self._extglob(pos, parts), None
        if char == "|" and mode == REGEX:
            self.pos = pos + 1
            return Literal(pos, pos + 1, "|"), None
        return None, None

    def _extglob(self, pos: int, parts: list[Part]) -> ExtGlob | None:
        """The extended pattern whose `(` is at `pos`, or None if the character before it makes none."""
        text = self.text
        last = parts[-1] if parts else None
        if type(last) is not Literal or mask(text[last.start : pos])[-1:] not in _EXTGLOB:
            return None
        close, inside, _ = self.balanced(pos + 1)
        if last.end - last.start == 1:
            parts.pop()
        else:
            parts[-1] = Literal(last.start, pos - 1, last.value[:-1])
        self.kinds.append((pos - 1, "extglob"))
        self.pos = close + 1
        return ExtGlob(pos - 1, close + 1, text[pos - 1 : close + 1], inside)

    def _trim(self, start: int, pos: int, parts: list[Part]) -> int:
        """Takes backslash-newlines at the end of a word out of it; gives the new end."""
        last = parts[-1]
        assert type(last) is Literal  # only unquoted characters can end so
        end = pos
        while end - 2 >= last.start and self.text.startswith("\\\n", end - 2):
            end -= 2
        assert end < pos
        if end == last.start:
            parts.pop()
        else:
            parts[-1] = Literal(last.start, end, last.value)
        if self.text[pos : pos + 1] in ("<", ">", "(") and (self.text[pos] == "(" or DESCRIPTOR(self.text, start, end)):
            self.fail("an operator is split by a backslash-newline", end)
        return end

    def _resolve(self, start: int, parts: list[Part], value: str | None, mode: int) -> str | None:
        """Marks the literals of a word in which characters may be active, and gives the word's value."""
        text = self.text
        masked = [mask(text[part.start : part.end]) if type(part) is Literal else "_" for part in parts]
        whole = "".join(masked)
        globs = "*" in whole or "?" in whole or 0 <= whole.find("[") < whole.rfind("]") - 1
        braces = mode == ARGUMENT and "{" in whole and expands_braces(whole)
        if mode == VALUE:
            tilde = whole[:1] == "~" or ":~" in whole
        elif mode == ARGUMENT:
            # bash expands a tilde in any argument that looks like an assignment (manual 3.5.2), POSIX does not
            tilde = whole[:1] == "~" or _ASSIGNED_TILDE.match(whole) is not None
        else:
            tilde = whole[:1] == "~"
        if braces:
            self.kinds.append((start, "brace-expansion"))
        if globs or braces or tilde:
            for at, part in enumerate(parts):
                own = masked[at]
                if type(part) is Literal and _ACTIVE(own):
                    parts[at] = Literal(
                        part.start,
                        part.end,
                        part.value,
                        globs and ("*" in own or "?" in own or "[" in own),
                        braces and "{" in own,
                        tilde and "~" in own,
                    )
        if tilde or braces or (globs and mode in (ARGUMENT, PATTERN)):
            return None
        return value

    def plain(self, pos: int, mode: int = ARGUMENT) -> Word | None:
        """The word at `pos`, with `pos` left after the blanks that follow it; None if no word begins there."""
        match = PLAIN(self.text, pos)
        if match is not None:
            value = match[1]
            end = match.end(1)
            self.pos = match.end()
            return Word(pos, end, (Literal(pos, end, value),), value)
        if self.text[pos : pos + 1] == "#":
            return None
        word = self.word(pos, mode)
        if word.end == pos:
            return None
        self.pos = self.blanks(word.end)
        return word


def _string(quoted: DoubleQuoted) -> str | None:
    """The string of a double-quoted part without expansions."""
    value = ""
    for part in quoted.parts:
        if type(part) is not Literal:
            return None
        value += part.value
    return value
