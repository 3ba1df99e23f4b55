"""The ground of the shell parser: its state, the characters that part words, and what may stand between tokens.

Only space, tab and newline part words (POSIX.1-2024 XCU 2.3); "\\r", form feed and no-break space are ordinary
characters. A backslash-newline vanishes before tokens are made. Instead of removing it (spans must stay true) the
parser accepts it where blanks and words allow it and refuses the few places where it would glue an operator or a name
together.
"""

from __future__ import annotations

import re

from dfopt.syntax.shell.nodes import ShellSyntaxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from dfopt.syntax.shell.nodes import DoubleQuoted, Redirect, Script

# Bounds the parser's own recursion (a level costs at most ten frames) and that of whoever walks the tree.
MAX_DEPTH = 40

NAME = "[A-Za-z_][A-Za-z0-9_]*"

# A word without quotes, expansions, wildcards, braces or tilde, and the blanks after it: nine words of ten.
_NOT = r""" \t\n;&|()<>"'\\$`*?\[{~"""
PLAIN = re.compile(rf"([^#{_NOT}][^{_NOT}]*|\[\[?|\{{\}}?)(?![^ \t\n;&|)])[ \t]*(?:\\\n[ \t]*)*").match
BLANKS = re.compile(r"[ \t]*(?:\\\n[ \t]*)*").match
_LINES = re.compile(r"[ \t\n]*(?:\\\n[ \t\n]*)*").match
COMMENT = re.compile(r"#[^\n]*").match
# What ends a token such as a reserved word, looking through backslash-newlines.
TOKEN_END = r"(?=(?:\\\n)*(?:[ \t\n;&|()<>]|\Z))"
_AFTER = re.compile(r"(?:\\\n)+([;&|<>(-])").match
_LONGER = frozenset((";;", ";&", "&&", "&>", "||", "|&", "<<", "<>", "<&", "<(", "<-", ">>", ">&", ">|", ">(", "(("))


class Lexer:
    """A position in a text. Methods take the offset at which to begin and leave the offset after what they read in
    `pos`; all of them raise ShellSyntaxError."""

    __slots__ = ("comments", "continued", "depth", "kinds", "pending", "pos", "text")

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text = text
        self.pos = 0
        self.depth = depth
        self.continued = "\\\n" in text
        self.pending: list[Redirect] = []  # here-documents whose bodies begin after the next newline
        self.comments: list[tuple[int, int]] = []
        self.kinds: list[tuple[int, str]] = []  # bashisms

    def fail(self, message: str, at: int) -> NoReturn:
        raise ShellSyntaxError(message, at)

    def unexpected(self, at: int, expected: str) -> NoReturn:
        """Fails with what stands at `at`."""
        if at >= len(self.text):
            self.fail(f"unexpected end of the text, expected {expected}", at)
        match = re.compile(r"\n|[;&|]{1,2}|[^ \t\n;&|()<>]+|[()<>]+|.").match(self.text, at)
        token = match[0] if match else ""
        shown = "newline" if token == "\n" else f"'{token[:40]}'"
        self.fail(f"unexpected {shown}, expected {expected}", at)

    def enter(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} levels deep", at)

    def blanks(self, pos: int) -> int:
        """Skips spaces, tabs and backslash-newlines."""
        return BLANKS(self.text, pos).end()  # type: ignore[union-attr]  # matches always, if only the empty string

    def comment(self, pos: int) -> int:
        """Reads the comment at `pos`, which has to be the start of a word; gives the offset of its newline."""
        match = COMMENT(self.text, pos)
        assert match is not None
        end = match.end()
        self.comments.append((pos, end))
        return end

    def lines(self, pos: int) -> int:
        """Skips blanks, comments and newlines; the bodies of here-documents lie after the first newline."""
        text = self.text
        while True:
            if self.pending:
                pos = self.blanks(pos)
                if text[pos : pos + 1] == "\n":
                    pos = self.here_documents(pos + 1)
                    continue
            else:
                pos = _LINES(text, pos).end()  # type: ignore[union-attr]  # matches always
            if text[pos : pos + 1] != "#":
                return pos
            pos = self.comment(pos)

    def rest(self, pos: int) -> int:
        """Skips the blanks after a command or word, and a comment, which can begin only after a blank or operator."""
        at = self.blanks(pos)
        return self.comment(at) if self.text[at : at + 1] == "#" else at

    def operator(self, end: int) -> None:
        """To be called with the end of an operator: fails where a backslash-newline hides that it goes on."""
        if self.continued:
            match = _AFTER(self.text, end)
            if match is not None and self.text[end - 1] + match[1] in _LONGER:
                self.fail("an operator is split by a backslash-newline", end)

    # Made by the classes above this one; each needs the others.

    def script(self, pos: int, expected: str = "") -> Script:
        raise NotImplementedError

    def here_documents(self, pos: int) -> int:
        raise NotImplementedError

    def quoted(self, pos: int) -> DoubleQuoted:
        raise NotImplementedError

    def dollar(self, pos: int, *, quoted: bool) -> Any:
        raise NotImplementedError
