"""Patterns with the meaning of .gitignore.

Rules: gitignore(5), and git's dir.c and wildmatch.c for what that page leaves open. A walk asks about one entry of a
directory at a time, and does not enter what is left out; as in git, the last pattern that matches the entry decides.
(The library pathspec judges whole paths instead, and cannot take a directory in again: `*`, then `!*/`.) Patterns match
bytes: texts hold one character per byte here.
"""

from __future__ import annotations

import os
import re

from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.syntax import automaton
from dfopt.syntax.automaton import LinearPattern
from dfopt.workspace.paths import above_in_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dfopt.syntax.automaton import Node

_ANYTHING, _IN_NAME = automaton.any_number(automaton.ANY), automaton.any_number(automaton.NOT_SLASH)
_DIRECTORIES = automaton.optional(automaton.sequence([_ANYTHING, automaton.char("/")]))  # "**/", or none
_SPECIAL = re.compile(r"[*?\[\\]")
_CLASSES = {
    "alnum": str.isalnum, "alpha": str.isalpha, "blank": " \t".__contains__, "digit": str.isdigit,
    "cntrl": lambda char: char < " " or char == "\x7f", "graph": lambda char: "!" <= char <= "~",
    "lower": str.islower, "print": lambda char: " " <= char <= "~", "upper": str.isupper, "space": str.isspace,
    "punct": lambda char: "!" <= char <= "~" and not char.isalnum(),
    "xdigit": "0123456789abcdefABCDEF".__contains__,
}  # fmt: skip


class GitignorePattern(Record):
    """One line. `kind` says how `text` is compared: with the "name" of the entry, with its end ("suffix"), with its
    whole "path", or `regex` with the name ("name-regex") or the path ("path-regex")."""

    leaves_out: bool
    directories_only: bool
    kind: str
    text: str
    regex: LinearPattern | None = None

    def matches(self, path: str, name: str, is_directory: bool) -> bool:
        if self.directories_only and not is_directory:
            return False
        if self.kind == "name":
            return name == self.text
        if self.kind == "suffix":
            return name.endswith(self.text)
        if self.kind == "path":
            return path == self.text
        assert self.regex is not None
        return self.regex.fullmatch(name if self.kind == "name-regex" else path)


class Rules:
    """Patterns that hold below one directory (`base`, absolute)."""

    __slots__ = ("base", "patterns")

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self.base = os.path.join(base, "")
        self.patterns = [pattern for line in lines for pattern in [parse(_bytewise(line))] if pattern is not None]
        self.patterns.reverse()

    def decide(self, absolute: str, is_directory: bool) -> bool | None:
        """Whether an entry is left out (True), taken in again (False), or not spoken of (None)."""
        if not absolute.startswith(self.base):
            return None
        path = _bytewise(absolute[len(self.base) :])
        if os.sep != "/":
            path = path.replace(os.sep, "/")
        name = path.rpartition("/")[2]
        for pattern in self.patterns:
            if pattern.matches(path, name, is_directory):
                return pattern.leaves_out
        return None


def rules_of(directory: str) -> Rules | None:
    """The rules of a directory's .gitignore; None where it says nothing or cannot be read (as git has it)."""
    path = os.path.join(directory, ".gitignore")
    return None if os.path.islink(path) else _read(path, directory)  # nor does git follow a link there


def rules_above(directory: str) -> list[Rules]:
    """The rules of the .gitignore files above `directory` up to the root of its repository, outermost first, and of
    the repository's .git/info/exclude. Nothing outside a repository."""
    above = above_in_repository(directory)
    if above is None:
        return []
    top = above[-1] if above else directory
    rule_lists = [_read(os.path.join(top, ".git", "info", "exclude"), top)]
    rule_lists += [rules_of(directory) for directory in reversed(above)]
    return [rules for rules in rule_lists if rules]


def parse(line: str) -> GitignorePattern | None:
    """The pattern of a line without its newline; None for a comment, a blank line, or one that matches nothing."""
    if line.startswith("#"):
        return None
    text = _without_trailing_blanks(line)
    leaves_out = not text.startswith("!")
    if not leaves_out:
        text = text[1:]
    directories_only = text.endswith("/")
    if directories_only:
        text = text[:-1]
    by_name = "/" not in text
    text = text.removeprefix("/")
    if not text:
        return None
    if not _SPECIAL.search(text):
        return GitignorePattern(leaves_out, directories_only, "name" if by_name else "path", text)
    if by_name and text[0] == "*" and not _SPECIAL.search(text, 1):
        return GitignorePattern(leaves_out, directories_only, "suffix", text[1:])
    translated = translate(text)
    if translated is None:
        return None
    kind = "name-regex" if by_name else "path-regex"
    return GitignorePattern(leaves_out, directories_only, kind, text, LinearPattern(translated))


def _without_trailing_blanks(line: str) -> str:
    """Without blanks at the end that no backslash keeps."""
    end = len(line.rstrip(" "))
    backslashes = end - len(line[:end].rstrip("\\"))
    return line[: end + 1] if backslashes % 2 and end < len(line) else line[:end]


def translate(pattern: str) -> Node | None:
    """The node of a wildcard pattern; None where a bracket is not closed (it matches nothing)."""
    out: list[Node] = []
    special = _SPECIAL.search(pattern)
    first = special.start() if special else 0  # git compares the text before it, and matches the rest on its own
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            stop = at
            while pattern[stop : stop + 1] == "*":
                stop += 1
            alone = (at == first or pattern[at - 1] == "/") and (stop == len(pattern) or pattern[stop] == "/")
            if stop - at > 1 and alone and stop < len(pattern):
                out.append(
                    automaton.optional(automaton.sequence([_ANYTHING, automaton.char("/")]))
                )  # "**/": any number of directories, none too
                stop += 1
            else:
                out.append(_ANYTHING if stop - at > 1 and alone else _IN_NAME)
            at = stop
        elif char == "?":
            out.append(automaton.NOT_SLASH)
            at += 1
        elif char == "[":
            bracket = _bracket(pattern, at + 1)
            if bracket is None:
                return None
            members, at = bracket
            inside = "".join(re.escape(member) for member in sorted(members - {"/"}))
            out.append(automaton.char(f"[{inside}]" if inside else "(?!)"))
        elif char == "\\":
            if at + 1 == len(pattern):
                return None
            out.append(automaton.literal(pattern[at + 1]))
            at += 2
        else:
            out.append(automaton.literal(char))
            at += 1
    return automaton.sequence(out)


def _bracket(pattern: str, at: int) -> tuple[set[str], int] | None:
    """The characters of a bracket expression that begins after its "[", and the offset after its "]"."""
    every = [chr(code) for code in range(256)]
    members: set[str] = set()
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    first, previous = True, ""
    while first or pattern[at : at + 1] != "]":
        first = False
        char = pattern[at : at + 1]
        if char == "-" and previous and pattern[at + 1 : at + 2] not in ("", "]"):
            at += 1
            at += pattern[at] == "\\"
            if at >= len(pattern):
                return None
            members.update(other for other in every if previous <= other <= pattern[at])
            previous = ""
        elif char == "[" and pattern[at + 1 : at + 2] == ":":
            close = pattern.find("]", at + 2)
            if close < 0:
                return None
            if pattern[close - 1] == ":" and close - 1 >= at + 2:
                predicate: Callable[[str], bool] | None = _CLASSES.get(pattern[at + 2 : close - 1])
                if predicate is None:
                    return None
                members.update(other for other in every[:128] if predicate(other))
                at, previous = close, ""
            else:
                members.add(char)
                previous = char
        else:
            if char == "\\":
                at += 1
                char = pattern[at : at + 1]
            if not char:
                return None
            members.add(char)
            previous = char
        at += 1
    return (set(every) - members if negated else members), at + 1


def _bytewise(text: str) -> str:
    return text if text.isascii() else os.fsencode(text).decode("latin-1")


def _read(path: str, base: str) -> Rules | None:
    try:
        content = read_regular(path)
    except OSError:
        return None
    text = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf"))
    rules = Rules(base, [line.removesuffix("\r") for line in text.split("\n")])
    return rules if rules.patterns else None
