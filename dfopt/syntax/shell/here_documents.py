"""Here-documents (XCU 2.7.4): the delimiter, and the body after the next newline."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.syntax.shell.escapes import unescape, unescape_ansi, unescape_double
from dfopt.syntax.shell.expansions import Expansions
from dfopt.syntax.shell.nodes import AnsiQuoted, DoubleQuoted, Literal, Redirect, SingleQuoted, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Part

_PLAIN_DELIMITER = regex(r"[A-Za-z0-9_.%+,:=@/!-]+(?=[ \t\n;|&)]|\Z)")
# Pieces of any other: nothing is expanded in it, so only quotes have a meaning.
_PIECE = regex(
    r"""((?:[^ \t\n;&|()<>"'\\$`]+|\\[^\n]|\$(?!["'({\[]))+)|'([^']*)'|"([^"\\$`]*(?:\\[\s\S][^"\\$`]*)*)\""""
    r"""|\$'([^'\\]*(?:\\[\s\S][^'\\]*)*)'"""
)
_OPEN_LINE = regex(r"(?<!\\)(?:\\\\)*\\\Z")


class HereDocuments(Expansions):
    __slots__ = ()

    def delimiter(self, pos: int) -> Word:
        """The delimiter word at `pos`: its value is what the last line has to be. An empty span where none stands."""
        text = self.text
        match = _PLAIN_DELIMITER.match(text, pos)
        if match is not None:
            self.pos = end = match.end()
            return Word(pos, end, (Literal(pos, end, match[0]),), match[0])
        start = pos
        parts: list[Part] = []
        value = ""
        if text[pos : pos + 1] == "#":
            return Word(pos, pos, (), "")
        while True:
            match = _PIECE.match(text, pos)
            if match is None:
                break
            end = match.end()
            kind = match.lastindex
            if kind == 1:
                string = unescape(match[1])
                parts.append(Literal(pos, end, string))
            elif kind == 2:
                string = match[2]
                parts.append(SingleQuoted(pos, end, string))
            elif kind == 3:
                string = unescape_double(match[3])
                parts.append(DoubleQuoted(pos, end, (Literal(pos + 1, end - 1, string),) if string else ()))
            else:
                string = unescape_ansi(match[4])
                self.kinds.append((pos, "ansi-quote"))
                parts.append(AnsiQuoted(pos, end, string))
            value += string
            pos = end
        if text[pos : pos + 1] in ('"', "'", "`", "$", "\\", "("):
            self.fail("this delimiter of a here-document is not understood", start)
        if "\n" in value:
            self.fail("a here-document's delimiter holds a newline", start)
        self.pos = pos
        return Word(start, pos, tuple(parts), value)

    def here_documents(self, pos: int) -> int:
        """Reads the bodies that begin at `pos`, after a newline, in the order of their operators; gives the offset
        after the last one's delimiter line."""
        pending, self.pending = self.pending, []
        for redirect in pending:
            pos = self._body(redirect, pos)
        return pos

    def _body(self, redirect: Redirect, pos: int) -> int:
        text, size = self.text, len(self.text)
        delimiter = redirect.target.value
        tabs, quoted = redirect.op == "<<-", redirect.quoted
        start = line = pos
        terminated = False
        after = size
        while line < size:
            end = text.find("\n", line)
            content = text[line : end if end >= 0 else size]
            # an unquoted body is joined at backslash-newlines before its delimiter is looked for
            while not quoted and end >= 0 and content.endswith("\\") and _OPEN_LINE.search(content):
                begin = end + 1
                end = text.find("\n", begin)
                content = content[:-1] + text[begin : end if end >= 0 else size]
            if (content.lstrip("\t") if tabs else content) == delimiter:
                terminated = True
                after = end + 1 if end >= 0 else size
                break
            line = end + 1 if end >= 0 else size
        # the one place where a record is completed after it was made: its body comes later in the text than its user
        redirect.body = text[start:line]  # type: ignore[misc]
        redirect.body_start = start  # type: ignore[misc]
        redirect.body_end = line  # type: ignore[misc]
        redirect.terminated = terminated  # type: ignore[misc]
        if not quoted and ("$" in redirect.body or "`" in redirect.body):
            redirect.parts = self.document(start, line)  # type: ignore[misc]
        return after
