"""The conditional command `[[ ]]` (bash manual 3.2.5.2)."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.syntax.shell.lexer import TOKEN_END
from dfopt.syntax.shell.nodes import Literal, Test, Word
from dfopt.syntax.shell.simple import SimpleCommands
from dfopt.syntax.shell.words import PATTERN, REGEX

_CLOSING = regex(rf"\]\]{TOKEN_END}")
_BANG = regex(rf"!{TOKEN_END}")
_UNARY = regex(rf"-[abcdefghknoprstuvwxzGLNORS]{TOKEN_END}")
_BINARY = frozenset(("=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"))


class Conditionals(SimpleCommands):
    __slots__ = ()

    def test(self, start: int, pos: int) -> Test:
        """`[[ ... ]]` at `start`; `pos` is after its opening word."""
        self.kinds.append((start, "test"))
        words: list[Word] = []
        at = self._any(pos, words)
        if not _CLOSING.match(self.text, at):
            self.unexpected(at, "']]'")
        redirects = self.redirects(at + 2)
        return Test(start, redirects[-1].end if redirects else at + 2, tuple(words), redirects)

    def _sign(self, pos: int, sign: str, words: list[Word]) -> int:
        end = pos + len(sign)
        words.append(Word(pos, end, (Literal(pos, end, sign),), sign))
        return end

    def _any(self, pos: int, words: list[Word]) -> int:
        """Terms with `&&` and `||` between them."""
        self.enter(pos)
        pos = self._term(pos, words)
        while self.text[pos : pos + 2] in ("&&", "||"):
            pos = self._term(self._sign(pos, self.text[pos : pos + 2], words), words)
        self.depth -= 1
        return pos

    def _term(self, pos: int, words: list[Word]) -> int:
        text = self.text
        pos = self.lines(pos)
        while _BANG.match(text, pos):
            pos = self.lines(self._sign(pos, "!", words))
        if text[pos : pos + 1] == "(":
            pos = self._any(self._sign(pos, "(", words), words)
            if text[pos : pos + 1] != ")":
                self.unexpected(pos, "')'")
            return self.lines(self._sign(pos, ")", words))
        if _UNARY.match(text, pos):
            pos = self.blanks(self._operand(pos, words, PATTERN).end)
            return self.lines(self._operand(pos, words, PATTERN).end)
        pos = self.blanks(self._operand(pos, words, PATTERN).end)
        if text[pos : pos + 2] in ("&&", "||") or text[pos : pos + 1] == ")" or _CLOSING.match(text, pos):
            return pos
        mode = PATTERN
        if text[pos : pos + 1] in ("<", ">"):
            pos = self._sign(pos, text[pos], words)
        else:
            operator = self._operand(pos, words, PATTERN)
            if operator.value not in _BINARY or text[pos : operator.end] != operator.value:
                self.fail(f"unexpected '{text[pos : operator.end]}', expected a conditional operator", pos)
            if operator.value == "=~":
                mode = REGEX
            pos = operator.end
        return self.lines(self._operand(self.blanks(pos), words, mode).end)

    def _operand(self, pos: int, words: list[Word], mode: int) -> Word:
        if self.text[pos : pos + 1] == "#" or _CLOSING.match(self.text, pos):
            self.unexpected(pos, "an operand")
        word = self.word(pos, mode)
        if word.end == pos:
            self.unexpected(pos, "an operand")
        words.append(word)
        return word
