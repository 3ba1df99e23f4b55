"""Simple commands (XCU 2.9.1): assignments, words and redirects."""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.shell.lexer import BLANKS, NAME, PLAIN
from dfopt.syntax.shell.nodes import ArrayLiteral, Assignment, Literal, Redirect, SimpleCommand, Word
from dfopt.syntax.shell.words import DESCRIPTOR, SUBJECT, VALUE, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Command

ASSIGNMENT = re.compile(rf"({NAME})(\+?=)").match
_SUBSCRIPTED = regex(rf"({NAME})\[")
_EQUALS = re.compile(r"\+?=").match
_VALUE = re.compile(r"""([^ \t\n;&|()<>"'\\$`*?\[{~]*)(?=[ \t\n;&|)]|\Z)[ \t]*(?:\\\n[ \t]*)*""").match
_REDIRECT = re.compile(rf"([0-9]*|\{{{NAME}\}})(<<<|<<-|<<|<&|<>|<(?!\()|>>|>&|>\||>(?!\())[ \t]*|()(&>>?)[ \t]*").match

_ENDS = frozenset(("", "\n", ";", "|", ")"))
_MAY_REDIRECT = frozenset("<>{&0123456789")
_WORD = re.compile(r"[^ \t\n;&|()<>#]").match
_BREAKS_WORD = re.compile(r"[ \t\n;&|<>()]").search
# bash takes an array literal in the arguments of these (manual 4.2, 6.7)
_DECLARES = frozenset(("declare", "typeset", "local", "export", "readonly", "eval", "let", "alias"))


class SimpleCommands(Words):
    __slots__ = ()

    def arguments(
        self, start: int, pos: int, assignments: list[Assignment], words: list[Word], redirects: list[Redirect]
    ) -> Command:
        """The rest of a simple command that begins at `start`; `pos` is after the blanks that follow what was read of
        it, and `self.pos` before them."""
        text = self.text
        end = self.pos  # of what has been read
        match = PLAIN
        while True:
            plain = match(text, pos)
            if plain is not None:
                value = plain[1]
                end = plain.end(1)
                words.append(Word(pos, end, (Literal(pos, end, value),), value))
                pos = plain.end()
                continue
            char = text[pos : pos + 1]
            if char in _ENDS:
                break
            if char in _MAY_REDIRECT:
                redirect = self.redirect(pos)
                if redirect is not None:
                    redirects.append(redirect)
                    end = redirect.end
                    pos = BLANKS(text, self.pos).end()  # type: ignore[union-attr]
                    continue
                if char == "&":
                    break
            elif char == "#":
                pos = self.comment(pos)
                break
            elif char == "(":
                if len(words) == 1 and not assignments and not redirects:
                    return self.function(start, words[0], pos)
                self.unexpected(pos, "a word or the end of the command")
            elif char == "\\" and text[pos + 1 : pos + 2] == "\n":  # a continued line that the last token did not take
                pos = self.blanks(pos)
                continue
            word = self.word(pos)
            end = self.pos
            if text[end : end + 1] == "(" and words and text[words[0].start : words[0].end] in _DECLARES:
                word = self._declared(word)
                end = self.pos
            words.append(word)
            pos = BLANKS(text, end).end()  # type: ignore[union-attr]
        self.pos = pos
        return SimpleCommand(start, end, tuple(assignments), tuple(words), tuple(redirects))

    def function(self, start: int, name: Word, pos: int) -> Command:
        """Made by the compound commands."""
        raise NotImplementedError

    def prefix(self, pos: int) -> Command | None:
        """A command that begins with an assignment, a redirect or a word that is not plain; None if none begins."""
        text = self.text
        start = end = pos
        assignments: list[Assignment] = []
        redirects: list[Redirect] = []
        while True:
            char = text[pos : pos + 1]
            if char in _MAY_REDIRECT:
                redirect = self.redirect(pos)
                if redirect is None:
                    break
                redirects.append(redirect)
            else:
                assignment = self.assignment(pos)
                if assignment is None:
                    break
                if redirects and assignments and assignment.array is not None:
                    self.fail("an array literal after a redirect", pos)
                assignments.append(assignment)
            end = self.pos
            pos = self.blanks(end)
        self.pos = end
        if pos > start:
            return self.arguments(start, pos, assignments, [], redirects)
        if char in _ENDS or char in ("&", "(", "#"):
            return None
        word = self.word(pos)
        end = word.end
        if end == pos:
            return None
        if self.continued and "\\\n" in text[pos:end]:
            self.whole(word)
        return self.arguments(start, self.blanks(end), assignments, [word], redirects)

    def whole(self, word: Word) -> None:
        """Made by the parser of commands."""
        raise NotImplementedError

    # --- assignments ---

    def assignment(self, pos: int) -> Assignment | None:
        """The assignment at `pos`, if one stands there; `pos` is left after it."""
        text = self.text
        match = ASSIGNMENT(text, pos)
        if match is None:
            match = _SUBSCRIPTED.match(text, pos)
            return None if match is None else self._subscripted(pos, match[1], match.end())
        operator = match[2]
        at = match.end()
        if operator == "+=":
            self.kinds.append((pos, "append-assign"))
        if text[at : at + 1] == "(":
            array = self._array(at)
            return Assignment(pos, self.pos, match[1], operator, None, None, array)
        value = self._value(at)
        return Assignment(pos, value.end, match[1], operator, value)

    def _value(self, pos: int) -> Word:
        match = _VALUE(self.text, pos)
        if match is None:
            return self.word(pos, VALUE)
        value = match[1]
        self.pos = end = match.end(1)
        return Word(pos, end, (Literal(pos, end, value),) if value else (), value)

    def _subscripted(self, pos: int, name: str, inside: int) -> Assignment | None:
        text = self.text
        close, parts, _ = self.balanced(inside, brackets=True)
        self.pos = pos
        equals = _EQUALS(text, close + 1)
        if equals is None:
            if _BREAKS_WORD(text, pos, close):
                self.fail("shells differ in how they read this subscript", pos)
            return None
        self.kinds.append((pos, "array"))
        at = equals.end()
        if text[at : at + 1] == "(":
            self.fail("a list cannot be assigned to an array's member", at)
        value = self._value(at)
        return Assignment(pos, value.end, name, equals[0], value, text[inside:close], None, parts)

    def _array(self, pos: int) -> tuple[Word, ...]:
        """The words in the parentheses that open at `pos`."""
        self.enter(pos)
        self.kinds.append((pos, "array"))
        words = []
        at = self.lines(pos + 1)
        while True:
            word = self._keyed(at) or self.plain(at)
            if word is None:
                break
            words.append(word)
            at = self.lines(self.pos)
        if self.text[at : at + 1] != ")":
            self.unexpected(at, "a word or ')'")
        self.depth -= 1
        self.pos = at + 1
        return tuple(words)

    def _keyed(self, pos: int) -> Word | None:
        """A member `[key]=value`, whose key may hold blanks."""
        if self.text[pos : pos + 1] != "[":
            return None
        close, parts, _ = self.balanced(pos + 1, brackets=True)
        equals = _EQUALS(self.text, close + 1)
        if equals is None:
            return None
        if parts:  # an ordinary word then, unless it has blanks
            word = self.word(pos)
            if word.end <= close:
                self.fail("a key of an array literal holds blanks and an expansion", pos)
            self.pos = self.blanks(word.end)
            return word
        begin = equals.end()
        value = self._value(begin)
        self.pos = self.blanks(value.end)
        return Word(pos, value.end, (Literal(pos, begin, self.text[pos:begin]), *value.parts), None)

    def _declared(self, word: Word) -> Word:
        """`name=` of a declaration, with the array literal that begins at its end."""
        text = self.text
        pos = word.end
        match = ASSIGNMENT(text, word.start)
        if match is None or match.end() != pos:
            self.unexpected(pos, "a word or the end of the command")
        if match[2] == "+=":
            self.kinds.append((word.start, "append-assign"))
        array = self._array(pos)
        return Word(word.start, self.pos, (*word.parts, ArrayLiteral(pos, self.pos, array)), None)

    # --- redirects ---

    def redirect(self, pos: int) -> Redirect | None:
        """The redirect at `pos`, if one stands there; `pos` is left after it."""
        text = self.text
        match = _REDIRECT(text, pos)
        if match is None:
            return None
        fd, operator = (match[1], match[2]) if match[2] else ("", match[4])
        if self.continued:
            self.operator(match.end(2) if match[2] else match.end(4))
        at = match.end()
        if text[at : at + 1] == "\\":
            at = self.blanks(at)
        if fd[:1] == "{":
            self.kinds.append((pos, "fd-variable"))
        if operator in ("<<", "<<-"):
            target = self.delimiter(at)
            if target.end == at:
                self.unexpected(at, "a delimiter")
            if text[target.end : target.end + 1] in ("<", ">") and DESCRIPTOR(text, at, target.end):
                self.unexpected(at, "a delimiter")
            source = text[at : target.end]
            quoted = "'" in source or '"' in source or "\\" in source
            document = Redirect(pos, target.end, fd, operator, target, None, 0, 0, quoted)
            self.pending.append(document)
            return document
        simple = PLAIN(text, at)
        if simple is not None:
            value: str | None = simple[1]
            self.pos = end = simple.end(1)
            target = Word(at, end, (Literal(at, end, simple[1]),), value)
        else:
            if text[at : at + 1] == "#":
                self.unexpected(at, "a word")
            target = self.word(at, SUBJECT if operator == "<<<" else 0)
            end = target.end
            if end == at:
                self.unexpected(at, "a word")
            value = target.value
            if text[end : end + 1] in ("<", ">") and DESCRIPTOR(text, at, end):
                if operator not in (">&", "<&") or text[at] == "{":
                    self.unexpected(at, "a word")
                self.kinds.append((pos, "amp-redirect"))  # to others the digits belong to the next redirect
        if operator == "<<<":
            self.kinds.append((pos, "here-string"))
        elif operator in ("&>", "&>>") or (operator == ">&" and value is not None and not _is_descriptor(value)):
            self.kinds.append((pos, "amp-redirect"))
        return Redirect(pos, end, fd, operator, target)

    def redirects(self, pos: int) -> tuple[Redirect, ...]:
        """The redirects after a compound command; `pos` is left at what follows them and a comment."""
        redirects = []
        at = self.blanks(pos)
        while self.text[at : at + 1] in _MAY_REDIRECT:
            redirect = self.redirect(at)
            if redirect is None:
                break
            redirects.append(redirect)
            at = self.blanks(self.pos)
        if redirects and _WORD(self.text, at):  # after a redirect no word is reserved
            self.unexpected(at, "the end of the command")
        self.pos = self.rest(at)
        return tuple(redirects)


def _is_descriptor(target: str) -> bool:
    return target == "-" or target.isdigit()
