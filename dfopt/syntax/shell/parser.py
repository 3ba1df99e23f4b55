"""Lists, and-or lists and pipelines (XCU 2.9.2, 2.9.3), and the way in: `parse_shell`."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.syntax.shell.compound import KEYWORD, RESERVED, Compounds
from dfopt.syntax.shell.lexer import PLAIN, TOKEN_END
from dfopt.syntax.shell.nodes import (
    AndOr,
    ListItem,
    Literal,
    Pipeline,
    Script,
    ShellProgram,
    ShellSyntaxError,
    Word,
)
from dfopt.syntax.shell.simple import ASSIGNMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.shell.nodes import Command

_PREFIX = regex(rf"!{TOKEN_END}|time{TOKEN_END}(?:[ \t]+-p{TOKEN_END})?(?:[ \t]+--{TOKEN_END})?")
_NO_COMMAND = frozenset(("", ")", ";", "|"))


class Parser(Compounds):
    __slots__ = ()

    def script(self, pos: int, expected: str = "") -> Script:
        """The list from `pos` to the first token that can neither begin nor separate commands, where `pos` is left. An
        empty one fails if `expected` says what should stand there."""
        self.enter(pos)
        text = self.text
        at = self.lines(pos)
        items = []
        while text[at : at + 1] not in _NO_COMMAND:
            command = self.pipeline(at)
            if command is None:
                break
            end = self.pos
            char = text[end : end + 1]
            if char == "|" or (char == "&" and text[end + 1 : end + 2] == "&"):
                command = self._and_or(command)
                end = self.pos
                char = text[end : end + 1]
            if char == "\n":
                items.append(ListItem(command.start, command.end, command, "\n", end))
                at = self.lines(end)
            elif char == "&" or (char == ";" and text[end + 1 : end + 2] not in (";", "&")):
                items.append(ListItem(command.start, command.end, command, char, end))
                if self.continued:
                    self.operator(end + 1)
                at = self.lines(end + 1)
            else:
                items.append(ListItem(command.start, command.end, command, "", command.end))
                at = end
                break
        self.depth -= 1
        self.pos = at
        if items:
            last = items[-1]
            stop = last.terminator_start + 1 if last.terminator in (";", "&") else last.end
            return Script(items[0].start, stop, tuple(items))
        if expected:
            self.unexpected(at, expected)
        return Script(pos, pos, ())

    def _and_or(self, first: Command) -> AndOr:
        """`first` and what `&&` and `||` bind to it."""
        text = self.text
        items = [first]
        operators = []
        starts = []
        at = self.pos
        operator = text[at : at + 2]
        while operator == "&&" or operator == "||":
            operators.append(operator)
            starts.append(at)
            at = self.lines(at + 2)
            command = self.pipeline(at)
            if command is None:
                self.unexpected(at, f"a command after '{operator}'")
            items.append(command)
            at = self.pos
            operator = text[at : at + 2]
        return AndOr(first.start, items[-1].end, tuple(items), tuple(operators), tuple(starts))

    def pipeline(self, pos: int) -> Command | None:
        """A command, or several with `|` between them, or one with `!` or `time` in front; None, with `pos` left in its
        place, if none begins at `pos`."""
        text = self.text
        char = text[pos : pos + 1]
        if (char == "!" or char == "t") and _PREFIX.match(text, pos):
            return self._prefixed(pos)
        command = self.command(pos)
        at = self.pos
        if command is None or text[at : at + 1] != "|" or text[at + 1 : at + 2] == "|":
            return command
        return self._piped(pos, command, negated=False, timed=False)

    def _prefixed(self, start: int) -> Command:
        text = self.text
        negated = timed = False
        banged = False
        pos = start
        match = _PREFIX.match(text, pos)
        while match is not None:
            if text[pos] == "!":
                if banged:
                    self.kinds.append((pos, "repeated-bang"))
                banged = True
                negated = not negated
            else:
                self.kinds.append((pos, "time"))
                timed = True
            pos = self.blanks(match.end())
            match = _PREFIX.match(text, pos)
        command = self.command(pos)
        if command is None:
            self.unexpected(pos, "a command after '!' or 'time'")
        return self._piped(start, command, negated=negated, timed=timed)

    def _piped(self, start: int, command: Command, *, negated: bool, timed: bool) -> Pipeline:
        text = self.text
        commands = [command]
        operators = []
        at = self.pos
        while text[at : at + 1] == "|" and text[at + 1 : at + 2] != "|":
            operator = "|"
            if text[at + 1 : at + 2] == "&":
                operator = "|&"
                self.kinds.append((at, "pipe-amp"))
            self.operator(at + len(operator))
            at = self.lines(at + len(operator))
            operators.append(operator)
            following = self.command(at)
            if following is None:
                self.unexpected(at, f"a command after '{operator}'")
            commands.append(following)
            at = self.pos
        return Pipeline(start, commands[-1].end, tuple(commands), tuple(operators), negated, timed)

    def command(self, pos: int) -> Command | None:
        """A simple or compound command; None, with `pos` left in its place, if none begins there."""
        text = self.text
        match = PLAIN(text, pos)
        if match is not None:
            value = match[1]
            if value in RESERVED:
                if RESERVED[value]:
                    return self.compound(pos, value, match.end(1))
                self.pos = pos
                return None
            if "=" not in value or not ASSIGNMENT(text, pos):
                self.pos = end = match.end(1)
                return self.arguments(pos, match.end(), [], [Word(pos, end, (Literal(pos, end, value),), value)], [])
        elif text[pos : pos + 1] == "(":
            return self.parentheses(pos)
        else:
            match = KEYWORD(text, pos)
            if match is not None:
                if RESERVED[match[1]]:
                    return self.compound(pos, match[1], match.end())
                self.pos = pos
                return None
        return self.prefix(pos)

    def whole(self, word: Word) -> None:
        """Fails if the first word of a command would be read otherwise without the backslash-newlines in it."""
        if word.value is not None and (word.value in RESERVED or ASSIGNMENT(word.value)):
            self.fail("a word is split by a backslash-newline", word.start)


def parse_shell(text: str) -> ShellProgram:
    """The tree of `text`: what one RUN gives to its shell, or a whole script. The grammar is that of bash, which holds
    POSIX's; `bashisms` tells what of it sh lacks. Raises ShellSyntaxError where bash would, and where shells differ in
    how they would read it."""
    parser = Parser(text)
    try:
        script = parser.script(0)
        parser.at_end()
    except RecursionError:  # only if the caller has used up most of the stack
        raise ShellSyntaxError("nested too deep", parser.pos) from None
    comments = tuple(parser.comments)
    kinds = parser.kinds
    if len(kinds) > 1:
        kinds.sort()
    return ShellProgram(text, Script(0, len(text), script.items, comments), tuple(kinds))
