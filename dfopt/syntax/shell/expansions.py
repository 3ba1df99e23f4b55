"""Everything that begins with `$` or a backquote, and what stands in double quotes.

POSIX.1-2024 XCU 2.6; for the forms beyond it the bash manual 3.5. Where `bash -n` takes any text up to the closing
brace or bracket (it looks inside only when it expands), the forms are checked here, so that nothing half understood
passes.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.shell.escapes import unescape_ansi, unescape_backquoted, unescape_double
from dfopt.syntax.shell.lexer import NAME, Lexer
from dfopt.syntax.shell.nodes import (
    AnsiQuoted,
    Arithmetic,
    CommandSub,
    DoubleQuoted,
    Literal,
    Parameter,
    ProcessSub,
    ShellSyntaxError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Part, Script

# A `$` that begins no expansion is an ordinary character; one before a backslash-newline could be either.
LONE_DOLLAR = r"\$(?![A-Za-z_0-9@*#?$!({\[-]|\\\n)"
SPECIAL_PARAMETER = "[0-9@*#?$!-]"

_DOUBLE = regex(rf"""((?:[^"\\$`]+|\\[\s\S]|{LONE_DOLLAR})+)|\$({NAME}|{SPECIAL_PARAMETER})|\$\{{({NAME})\}}|(")""")
_SIMPLE = regex(rf"\$({NAME}|{SPECIAL_PARAMETER})|\$\{{({NAME})\}}")
_GLUED_NAME = regex(rf"\${NAME}(?:\\\n)+[A-Za-z0-9_]")
_ANSI = regex(r"\$'([^'\\]*(?:\\[\s\S][^'\\]*)*)'")
_BACKQUOTED = regex(r"`([^`\\]*(?:\\[\s\S][^`\\]*)*)`")

_LENGTH = regex(rf"\$\{{#({NAME}|[0-9]+|[@*#?$!-])(?=[}}\[])")
_INDIRECT = regex(rf"\$\{{!({NAME}|[0-9]+|[@*#?$-])(?=[}}\[:=?+#%/^,~@*-])")
_NAMED = regex(rf"\$\{{({NAME}|[0-9]+|[@*#?$!-])")
_OPERATOR = regex(r":[-=?+]|##?|%%?|//?|\^\^?|,,?|~~?|[-=?+:@]")
_POSIX_OPERATORS = frozenset((":-", ":=", ":?", ":+", "-", "=", "?", "+", "#", "##", "%", "%%"))

_ARGUMENT_STOP = regex(r"""[}"'\\$`<>]""")
_DOCUMENT_STOP = regex(r"[\\$`]")
_PARENTHESIS_STOP = re.compile(r"""[()"'\\$`]""").search
_BRACKET_STOP = re.compile(r"""[\[\]"'\\$`]""").search


class Expansions(Lexer):
    __slots__ = ()

    def quoted(self, pos: int) -> DoubleQuoted:
        """The double-quoted string whose `"` is at `pos`."""
        text = self.text
        start = pos
        pos += 1
        parts: list[Part] = []
        while True:
            match = _DOUBLE.match(text, pos)
            if match is not None:
                kind = match.lastindex
                end = match.end()
                if kind == 1:
                    raw = match[1]
                    parts.append(Literal(pos, end, unescape_double(raw) if "\\" in raw else raw))
                elif kind == 4:
                    self.pos = end
                    return DoubleQuoted(start, end, tuple(parts))
                else:
                    if self.continued:
                        self._whole_name(pos, end)
                    parts.append(Parameter(pos, end, match[kind]))  # type: ignore[index]  # 2 or 3
                pos = end
                continue
            char = text[pos : pos + 1]
            if char == "$":
                part = self.dollar(pos, quoted=True)
                assert part is not None  # the pattern above takes an ordinary $
                parts.append(part)
            elif char == "`":
                parts.append(self.backquoted(pos, quoted=True))
            else:
                self.fail("unterminated double quote", start)
            pos = self.pos

    def _whole_name(self, start: int, end: int) -> None:
        """Fails where the `$name` text[start:end] goes on after a backslash-newline."""
        if _GLUED_NAME.match(self.text, start):
            self.fail("a parameter's name is split by a backslash-newline", end)

    def dollar(self, pos: int, *, quoted: bool) -> Part | None:
        """The expansion that begins with the `$` at `pos`, or None where this is an ordinary `$` (`pos` stays)."""
        text = self.text
        match = _SIMPLE.match(text, pos)
        if match is not None:
            self.pos = end = match.end()
            if self.continued:
                self._whole_name(pos, end)
            return Parameter(pos, end, match[1] or match[2])
        char = text[pos + 1 : pos + 2]
        if char == "(":
            return self._arithmetic(pos) if text[pos + 2 : pos + 3] == "(" else self._command(pos)
        if char == "{":
            return self._parameter(pos, quoted=quoted)
        if char == "[":
            self.kinds.append((pos, "arith-bracket"))
            close, parts, _ = self.balanced(pos + 2, brackets=True)
            self.pos = close + 1
            return Arithmetic(pos, close + 1, text[pos + 2 : close], parts)
        if char == "'" and not quoted:
            return self._ansi(pos)
        if char == '"' and not quoted:
            self.kinds.append((pos, "locale-quote"))
            string = self.quoted(pos + 1)
            return DoubleQuoted(pos, string.end, string.parts)
        if text.startswith("\\\n", pos + 1):
            self.fail("an expansion is split by a backslash-newline", pos)
        return None

    def _ansi(self, pos: int) -> AnsiQuoted:
        match = _ANSI.match(self.text, pos)
        if match is None:
            self.fail("unterminated $'", pos)
        self.kinds.append((pos, "ansi-quote"))
        self.pos = match.end()
        return AnsiQuoted(pos, match.end(), unescape_ansi(match[1]))

    # --- command substitution ---

    def parenthesized(self, pos: int) -> Script:
        """The list from `pos` to the `)` that ends a substitution; its here-documents are its own."""
        self.operator(pos)
        pending, self.pending = self.pending, []
        body = self.script(pos)
        close = self.pos
        if self.text[close : close + 1] != ")":
            self.unexpected(close, "')'")
        if self.pending:
            self.fail("a here-document begins but its body does not", self.pending[0].start)
        self.pending = pending
        self.pos = close + 1
        return body

    def _command(self, pos: int) -> CommandSub:
        body = self.parenthesized(pos + 2)
        return CommandSub(pos, self.pos, body)

    def process(self, pos: int) -> ProcessSub:
        """`<( ... )` or `>( ... )` at `pos`."""
        self.kinds.append((pos, "process-substitution"))
        body = self.parenthesized(pos + 2)
        return ProcessSub(pos, self.pos, self.text[pos], body)

    def backquoted(self, pos: int, *, quoted: bool) -> CommandSub:
        """The backquoted command at `pos`. Where backslashes have to go before it can be parsed, the tree of its body
        has no true spans and is not kept; its bashisms are reported at the backquote."""
        match = _BACKQUOTED.match(self.text, pos)
        if match is None:
            self.fail("unterminated backquote", pos)
        end = match.end()
        command = unescape_backquoted(match[1], quoted=quoted)
        if command == match[1]:
            body: Script | None = self.within(pos + 1, end - 1)
        else:
            self.enter(pos)
            inner = type(self)(command, self.depth)
            try:
                inner.script(0)
                inner.at_end()
            except ShellSyntaxError as error:
                raise ShellSyntaxError(f"in backquotes: {error.message}", pos) from None
            self.kinds += [(pos, kind) for _, kind in inner.kinds]
            self.depth -= 1
            body = None
        self.pos = end
        return CommandSub(pos, end, body, True)

    def within(self, start: int, end: int) -> Script:
        """The list that fills text[start:end] wholly."""
        text, pending = self.text, self.pending
        self.text, self.pending = text[:end], []
        body = self.script(start)
        self.at_end()
        self.text, self.pending = text, pending
        return body

    def at_end(self) -> None:
        """Fails unless all has been read."""
        if self.pos < len(self.text):
            self.unexpected(self.pos, "the end of a command")
        if self.pending:  # its body would begin after the text's end: empty, as shells take it
            self.here_documents(self.pos)

    # --- arithmetic ---

    def _arithmetic(self, pos: int) -> Part:
        """`$(( ... ))`, or a command substitution that begins with a subshell: `$((a); b)`. As in bash, it is
        arithmetic if what stands between the outer parentheses is itself one pair of parentheses."""
        comments, kinds = len(self.comments), len(self.kinds)
        close, parts, _ = self.balanced(pos + 3)
        if self.text[close + 1 : close + 2] == ")":
            self.pos = close + 2
            return Arithmetic(pos, close + 2, self.text[pos + 3 : close], parts)
        self.unsplit(close)
        del self.comments[comments:], self.kinds[kinds:]
        self.kinds.append((pos, "substitution-subshell"))
        return self._command(pos)

    def unsplit(self, close: int) -> None:
        """Fails where a backslash-newline stands between the two parentheses that would end arithmetic."""
        if self.continued and re.compile(r"\)(?:\\\n)+\)").match(self.text, close):
            self.fail("an operator is split by a backslash-newline", close)

    def balanced(self, pos: int, *, brackets: bool = False) -> tuple[int, tuple[Part, ...], int]:
        """Text from `pos` up to the parenthesis (or bracket) that closes one opened before: the closing one's offset,
        the expansions inside, and the number of `;` outside of inner parentheses, quotes and expansions."""
        self.enter(pos)
        text = self.text
        search = _BRACKET_STOP if brackets else _PARENTHESIS_STOP
        opening = "[" if brackets else "("
        closing = "]" if brackets else ")"
        start, level, semicolons = pos, 1, 0
        parts: list[Part] = []
        while True:
            match = search(text, pos)
            if match is None:
                self.fail(f"'{closing}' is missing", start)
            at = match.start()
            if level == 1:
                semicolons += text.count(";", pos, at)
            char = text[at]
            pos = at + 1
            if char == opening:
                level += 1
            elif char == closing:
                level -= 1
                if not level:
                    self.depth -= 1
                    if brackets and ("<(" in text[start:at] or ">(" in text[start:at]):
                        self.fail("a process substitution, to bash, inside of brackets", start)
                    return at, tuple(parts), semicolons
            elif char == "\\":
                pos += 1
            else:
                pos = self._inner(at, char, parts)

    def _inner(self, at: int, char: str, parts: list[Part]) -> int:
        """Passes the quote or expansion that begins with `char` at `at` (or an ordinary `$`) in the middle of kept text
        and collects its expansions; gives the offset after it."""
        text = self.text
        if char == "'":
            close = text.find("'", at + 1)
            if close < 0:
                self.fail("unterminated single quote", at)
            return close + 1
        if char == '"':
            node: Part | None = self.quoted(at)
        elif char == "`":
            node = self.backquoted(at, quoted=False)
        else:
            node = self.dollar(at, quoted=False)
            if node is None:
                return at + 1
        if isinstance(node, DoubleQuoted):
            parts += [part for part in node.parts if type(part) is not Literal]
        elif node is not None and type(node) is not AnsiQuoted:
            parts.append(node)
        return self.pos

    # --- parameters ---

    def _parameter(self, pos: int, *, quoted: bool) -> Parameter:
        """`${ ... }` at `pos`; `quoted` tells that it stands in double quotes or a here-document."""
        text = self.text
        prefix = ""
        match = _LENGTH.match(text, pos)
        if match is not None:
            prefix = "#"
        else:
            match = _INDIRECT.match(text, pos)
            if match is not None:
                prefix = "!"
                self.kinds.append((pos, "parameter-op"))
            else:
                match = _NAMED.match(text, pos)
                if match is None:
                    self.fail("bad substitution", pos)
        name = match[1]
        at = match.end()
        index = None
        parts: tuple[Part, ...] = ()
        if text[at : at + 1] == "[":
            if not (name[0].isalpha() or name[0] == "_"):
                self.fail("bad substitution", at)
            self.kinds.append((pos, "array"))
            close, parts, _ = self.balanced(at + 1, brackets=True)
            index = text[at + 1 : close]
            at = close + 1
        operator, argument = prefix, ""
        if prefix == "!" and text[at : at + 2] in ("*}", "@}"):  # the names that begin so
            argument = text[at]
            at += 1
        elif text[at : at + 1] != "}":
            if at == len(text):
                self.fail("'}' is missing", pos)
            sign = None if prefix == "#" else _OPERATOR.match(text, at)
            if sign is None:
                self.fail("bad substitution", pos)
            operator = sign[0]
            if operator not in _POSIX_OPERATORS:
                self.kinds.append((pos, "parameter-op"))
            begin = sign.end()
            at, inside = self._argument(begin, quoted=quoted, pattern=operator[0] in "#%/^,~", start=pos)
            argument = text[begin:at]
            parts += inside
        self.pos = at + 1
        return Parameter(pos, at + 1, name, operator, argument, parts, prefix, index)

    def _argument(self, pos: int, *, quoted: bool, pattern: bool, start: int) -> tuple[int, tuple[Part, ...]]:
        """What follows the operator, up to the `}`: its offset, and the expansions.

        Inside double quotes a single quote is an ordinary character, unless the argument is a pattern (XCU 2.6.2), but
        bash wants it paired and passes over what is between: what the two would read differently is refused.
        """
        self.enter(pos)
        text = self.text
        parts: list[Part] = []
        paired = -1
        while True:
            match = _ARGUMENT_STOP.search(text, pos)
            if match is None:
                self.fail("'}' is missing", start)
            at = match.start()
            char = text[at]
            pos = at + 1
            if char == "}":
                self.depth -= 1
                return at, tuple(parts)
            if char == "\\":
                pos += 1
            elif char == "'" and quoted and not pattern:
                if at == paired:
                    continue
                paired = text.find("'", pos)
                if paired < 0 or any(sign in text[pos:paired] for sign in '}"`\\'):
                    self.fail("shells differ in how they read this quote inside of ${ }", at)
            elif char in "<>":
                if text[pos : pos + 1] == "(":  # bash reads a command there, even inside quotes
                    parts.append(self.process(at))
                    pos = self.pos
            elif char == "$" and quoted and text[pos : pos + 1] != "'":
                node = self.dollar(at, quoted=True)
                if node is not None:
                    parts.append(node)
                    pos = self.pos
            elif char == "`" and quoted:
                parts.append(self.backquoted(at, quoted=True))
                pos = self.pos
            else:
                pos = self._inner(at, char, parts)

    # --- here-documents ---

    def document(self, start: int, end: int) -> tuple[Part, ...]:
        """The expansions in a here-document's body, text[start:end]. Quotes are ordinary characters there."""
        whole = self.text
        self.text = text = whole[:end]
        parts: list[Part] = []
        pos = start
        while True:
            match = _DOCUMENT_STOP.search(text, pos)
            if match is None:
                self.text = whole
                return tuple(parts)
            at = match.start()
            pos = at + 1
            char = text[at]
            if char == "\\":
                pos += 1
                continue
            node = self.dollar(at, quoted=True) if char == "$" else self.backquoted(at, quoted=True)
            if node is not None:
                parts.append(node)
                pos = self.pos
