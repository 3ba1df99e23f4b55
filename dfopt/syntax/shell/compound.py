"""Compound commands (XCU 2.9.4, bash manual 3.2.5), function definitions and coprocesses."""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.shell.conditional import Conditionals
from dfopt.syntax.shell.lexer import NAME, TOKEN_END
from dfopt.syntax.shell.nodes import (
    ArithmeticCommand,
    ArithmeticFor,
    BraceGroup,
    Case,
    CaseItem,
    Coproc,
    For,
    Function,
    If,
    Script,
    Subshell,
    While,
    Word,
)
from dfopt.syntax.shell.simple import ASSIGNMENT
from dfopt.syntax.shell.words import PATTERN, SUBJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Command

# Words that are reserved where a command may begin. The first group begin a command, the second never do.
OPENING = ("if", "while", "until", "for", "case", "select", "function", "coproc", "[[", "{")
CLOSING = ("then", "elif", "else", "fi", "do", "done", "esac", "in", "}", "]]", "!")
RESERVED = {word: word in OPENING for word in OPENING + CLOSING}

KEYWORD = re.compile(
    r"(if|then|elif|else|fi|for|do|done|while|until|case|esac|select|function|coproc|in|\[\[|\]\]|\{|\}|!)" + TOKEN_END
).match
_COMPOUND = regex(rf"\(|(?:if|while|until|for|case|select|\[\[|\{{){TOKEN_END}")
_NAME = regex(NAME + TOKEN_END)
_IDENTIFIER = regex(NAME + r"\Z")
_EMPTY = regex(r"\((?:[ \t]|\\\n)*\)")
_CASE_END = regex(r";;&?|;&")


class Compounds(Conditionals):
    __slots__ = ()

    def keyword(self, pos: int, expected: str) -> int:
        """Passes the reserved word `expected` at `pos`; gives the offset after it."""
        match = KEYWORD(self.text, pos)
        if match is None or match[1] != expected:
            self.unexpected(pos, f"'{expected}'")
        return match.end()

    def compound(self, pos: int, word: str, end: int) -> Command:
        """The command that begins with the reserved `word`, text[pos:end]."""
        if word == "if":
            return self._if(pos, end)
        if word == "{":
            return self._group(pos, end)
        if word == "for" or word == "select":
            return self._for(pos, end, select=word == "select")
        if word == "case":
            return self._case(pos, end)
        if word == "while" or word == "until":
            return self._while(pos, end, until=word == "until")
        if word == "[[":
            return self.test(pos, end)
        if word == "function":
            return self._keyword_function(pos, end)
        return self._coprocess(pos, end)

    def _if(self, start: int, pos: int) -> If:
        branches: list[tuple[Script, Script]] = []
        otherwise = None
        expected = "if"
        while True:
            condition = self.script(pos, f"a command after '{expected}'")
            body = self.script(self.keyword(self.pos, "then"), "a command after 'then'")
            branches.append((condition, body))
            match = KEYWORD(self.text, self.pos)
            expected = match[1] if match is not None else ""
            if expected == "elif":
                pos = match.end()  # type: ignore[union-attr]
                continue
            if expected == "else":
                otherwise = self.script(match.end(), "a command after 'else'")  # type: ignore[union-attr]
            end = self.keyword(self.pos, "fi")
            redirects = self.redirects(end)
            return If(start, redirects[-1].end if redirects else end, tuple(branches), otherwise, redirects)

    def _group(self, start: int, pos: int) -> BraceGroup:
        body = self.script(pos, "a command after '{'")
        end = self.keyword(self.pos, "}")
        redirects = self.redirects(end)
        return BraceGroup(start, redirects[-1].end if redirects else end, body, redirects)

    def _while(self, start: int, pos: int, *, until: bool) -> While:
        condition = self.script(pos, "a command after 'while' or 'until'")
        body = self.script(self.keyword(self.pos, "do"), "a command after 'do'")
        end = self.keyword(self.pos, "done")
        redirects = self.redirects(end)
        return While(start, redirects[-1].end if redirects else end, condition, body, redirects, until)

    def _for(self, start: int, pos: int, *, select: bool) -> For | ArithmeticFor:
        text = self.text
        at = self.blanks(pos)
        if text.startswith("((", at) and not select:
            return self._arithmetic_for(start, at + 2)
        if select:
            self.kinds.append((start, "select"))
        match = _NAME.match(text, at)
        if match is None:
            self.unexpected(at, "a name")
        name = match[0]
        pos = self.rest(match.end())
        words: list[Word] | None = None
        separated = True
        if text[pos : pos + 1] == ";":
            self.operator(pos + 1)
            pos = self.lines(pos + 1)
        else:
            after = self.lines(pos)
            separated = after > pos
            pos = after
            match = KEYWORD(text, pos)
            if match is not None and match[1] == "in":
                words = []
                pos = self.blanks(match.end())
                word = self.plain(pos)
                while word is not None:
                    words.append(word)
                    pos = self.pos
                    word = self.plain(pos)
                pos = self.rest(pos)
                if text[pos : pos + 1] not in (";", "\n"):
                    self.unexpected(pos, "a word, ';' or a newline")
                if text[pos] == ";":
                    self.operator(pos + 1)
                    pos += 1
                pos = self.lines(pos)
                separated = True
        body, end = self._loop_body(pos, start, braces=separated)
        redirects = self.redirects(end)
        last = redirects[-1].end if redirects else end
        return For(start, last, name, None if words is None else tuple(words), body, redirects, select)

    def _loop_body(self, pos: int, start: int, *, braces: bool) -> tuple[Script, int]:
        """`do body done`, or `{ body }`, which bash takes in for and select after a separator."""
        match = KEYWORD(self.text, pos)
        if braces and match is not None and match[1] == "{":
            self.kinds.append((start, "brace-loop"))
            body = self.script(match.end(), "a command after '{'")
            return body, self.keyword(self.pos, "}")
        body = self.script(self.keyword(pos, "do"), "a command after 'do'")
        return body, self.keyword(self.pos, "done")

    def _arithmetic_for(self, start: int, pos: int) -> ArithmeticFor:
        text = self.text
        self.kinds.append((start, "arith-for"))
        close, parts, semicolons = self.balanced(pos)
        if text[close + 1 : close + 2] != ")" or semicolons != 2:
            self.fail("expected three expressions, in (( )), after 'for'", pos)
        at = self.rest(close + 2)
        if text[at : at + 1] == ";":
            self.operator(at + 1)
            at += 1
        body, end = self._loop_body(self.lines(at), start, braces=True)
        redirects = self.redirects(end)
        last = redirects[-1].end if redirects else end
        return ArithmeticFor(start, last, text[pos:close], body, redirects, parts)

    def _case(self, start: int, pos: int) -> Case:
        text = self.text
        at = self.blanks(pos)
        subject = self.plain(at, SUBJECT)
        if subject is None:
            self.unexpected(at, "a word after 'case'")
        pos = self.lines(self.keyword(self.lines(self.pos), "in"))
        items = []
        while True:
            match = KEYWORD(text, pos)
            if match is not None and match[1] == "esac":
                break
            item = self._case_item(pos)
            items.append(item)
            pos = self.pos
            if not item.terminator:
                break
        end = self.keyword(pos, "esac")
        redirects = self.redirects(end)
        return Case(start, redirects[-1].end if redirects else end, subject, tuple(items), redirects)

    def _case_item(self, start: int) -> CaseItem:
        text = self.text
        pos = self.blanks(start + 1) if text[start : start + 1] == "(" else start
        patterns = []
        while True:
            pattern = self.plain(pos, PATTERN)
            if pattern is None:
                self.unexpected(pos, "a pattern or 'esac'")
            patterns.append(pattern)
            pos = self.pos
            char = text[pos : pos + 1]
            if char == ")":
                break
            if char != "|":
                self.unexpected(pos, "'|' or ')' after a pattern of 'case'")
            pos = self.blanks(pos + 1)
        end = pos + 1
        body = self.script(end)
        pos = self.pos
        if body.items:
            end = body.end
        match = _CASE_END.match(text, pos)
        terminator = ""
        if match is not None:
            terminator = match[0]
            if terminator != ";;":
                self.kinds.append((pos, "case-fallthrough"))
            end = match.end()
            self.operator(end)
            self.pos = self.lines(end)
        return CaseItem(start, end, tuple(patterns), body, terminator)

    def parentheses(self, pos: int) -> Command:
        """A subshell, or `(( ... ))`, at `pos`. As in bash it is arithmetic if the second parenthesis closes right
        before the first."""
        text = self.text
        if text[pos + 1 : pos + 2] == "(":
            comments, kinds = len(self.comments), len(self.kinds)
            close, parts, _ = self.balanced(pos + 2)
            if text[close + 1 : close + 2] == ")":
                self.kinds.append((pos, "arith-command"))
                redirects = self.redirects(close + 2)
                end = redirects[-1].end if redirects else close + 2
                return ArithmeticCommand(pos, end, text[pos + 2 : close], redirects, parts)
            self.unsplit(close)
            del self.comments[comments:], self.kinds[kinds:]
        self.operator(pos + 1)
        body = self.script(pos + 1, "a command after '('")
        close = self.pos
        if text[close : close + 1] != ")":
            self.unexpected(close, "')'")
        redirects = self.redirects(close + 1)
        return Subshell(pos, redirects[-1].end if redirects else close + 1, body, redirects)

    # --- functions and coprocesses ---

    def function(self, start: int, name: Word, pos: int) -> Function:
        """`name ( ) body`, with the parenthesis at `pos`."""
        match = _EMPTY.match(self.text, pos)
        if match is None:
            self.unexpected(pos, "the end of the command, or '()' of a function")
        if name.value is None or self.text[name.start : name.end] != name.value:
            self.fail("a function's name is quoted or expanded", name.start)
        if not _IDENTIFIER.match(name.value):
            self.kinds.append((start, "function-name"))
        body = self._function_body(match.end())
        return Function(start, body.end, name.value, body)

    def _keyword_function(self, start: int, pos: int) -> Function:
        self.kinds.append((start, "function-keyword"))
        at = self.blanks(pos)
        name = self.plain(at)
        if name is None or name.value is None or self.text[at : name.end] != name.value:
            self.unexpected(at, "a function's name")
        match = _EMPTY.match(self.text, self.pos)
        body = self._function_body(match.end() if match is not None else self.pos)
        return Function(start, body.end, name.value, body, True)

    def _function_body(self, pos: int) -> Command:
        at = self.lines(pos)
        body = self._compound_at(at)
        if body is None:
            self.unexpected(at, "a compound command as the function's body")
        return body

    def _compound_at(self, pos: int) -> Command | None:
        if not _COMPOUND.match(self.text, pos):
            return None
        if self.text[pos] == "(":
            return self.parentheses(pos)
        match = KEYWORD(self.text, pos)
        assert match is not None
        return self.compound(pos, match[1], match.end())

    def _coprocess(self, start: int, pos: int) -> Coproc:
        self.kinds.append((start, "coproc"))
        at = self.blanks(pos)
        name = None
        command = self._compound_at(at)
        if command is None:
            if KEYWORD(self.text, at):
                self.unexpected(at, "a name or a command")
            comments, kinds = len(self.comments), len(self.kinds)
            word = None if ASSIGNMENT(self.text, at) else self.plain(at)
            behind = self.pos
            if word is not None and (KEYWORD(self.text, behind) or self.text[behind : behind + 1] == "("):
                # bash knows reserved words after a possible name
                name = self.text[at : word.end]
                command = self._compound_at(behind)
                if command is None or not _IDENTIFIER.match(name):
                    self.unexpected(behind, "a name and a compound command, or a simple command")
            else:
                del self.comments[comments:], self.kinds[kinds:]
                command = self.prefix(at)
        if command is None:
            self.unexpected(at, "a command after 'coproc'")
        return Coproc(start, command.end, name, command)
