"""The Dockerfile parser: one pass over the physical lines, by BuildKit's rules.

Rules: BuildKit frontend/dockerfile/parser/parser.go (0.13, Dockerfile syntax 1.7) and what later versions changed:
text after a JSON array makes shell form since 1.9, and blanks between `<<` and a delimiter are allowed since 1.16.
Lines end with "\\n" only.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.source import BOM
from dfopt.syntax import arguments
from dfopt.syntax.directives import DirectiveReader, syntax_level
from dfopt.syntax.tree import (
    GO_SPACE,
    Argument,
    Comment,
    Dockerfile,
    DockerfileError,
    Flag,
    Heredoc,
    Instruction,
    Joined,
    Pair,
)
from dfopt.syntax.validate import check_instruction
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_KEYWORD = regex(r"[^\t\v\f\r ]+")
_BLANKS = regex(r"[\t\v\f\r ]*")
_HEREDOC = regex(r"([0-9]*)<<(-?)([^<]+)\Z", re.S)
_FLAG_SPACE = GO_SPACE + "\udc85\udca0"  # undecodable bytes that BuildKit's byte-wise scan takes for blanks
_LONGEST = 65536  # bufio.MaxScanTokenSize: a longer line, newline included, stops BuildKit's scanner
_LIST = frozenset(("FROM", "EXPOSE"))
_MAYBE_JSON_LIST = frozenset(("ADD", "COPY", "VOLUME"))
_MAYBE_JSON = frozenset(("RUN", "CMD", "ENTRYPOINT", "SHELL"))
_TEXT = frozenset(("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"))
_HEREDOC_KEYWORDS = frozenset(("RUN", "COPY", "ADD"))


def parse(text: str) -> Dockerfile:
    """Parses a whole file. Raises DockerfileError (offset in `text`) where BuildKit would refuse it."""
    return _Parser(text).parse()


class _Parser:
    __slots__ = ("above", "comments", "directives", "escape", "instructions", "level", "lines", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line) + 1)
        self.starts = starts
        if len(text) > _LONGEST // 4:
            self._check_lengths()
        self.escape = "\\"
        self.directives = DirectiveReader()
        self.level: tuple[int, int] | None = None
        self.comments: list[Comment] = []
        self.above: list[Comment] = []
        self.instructions: list[Instruction] = []

    def _check_lengths(self) -> None:
        last = len(self.lines) - 1
        for number, line in enumerate(self.lines):
            if len(line) > _LONGEST // 4:
                size = len(line.encode("utf-8", "surrogateescape"))
                if size + (number < last) > _LONGEST or (number == last and size >= _LONGEST):
                    raise DockerfileError(
                        f"dockerfile line greater than max allowed size of {_LONGEST - 1}", self.starts[number]
                    )

    def parse(self) -> Dockerfile:
        lines, starts = self.lines, self.starts
        count = len(lines) - (lines[-1] == "")  # after a final newline there is no line
        number = 0
        while number < count:
            line = lines[number]
            if number == 0 and line.startswith(BOM):
                line = line[1:]
            begin = starts[number] + (len(lines[number]) - len(line))
            stripped = token = line.rstrip("\r")
            if token and not token[0].isalpha():
                stripped = token.lstrip(GO_SPACE)
                begin += len(token) - len(stripped)
            if not self.directives.done:
                self.directives.feed(stripped, begin, number + 1)
                self.escape = self.directives.escape
                if self.directives.done:
                    self.level = syntax_level(next((d for d in self.directives.found if d.name == "syntax"), None))
            if not stripped:
                if self.above:
                    self.above = []
                number += 1
            elif stripped[0] == "#":
                self._comment(begin, begin + len(stripped), number, self.above)
                number += 1
            else:
                number = self._instruction(stripped, begin, number, count)
        if not self.instructions:
            raise DockerfileError("file with no instructions", 0)
        stage = False
        for node in self.instructions:  # BuildKit splits the whole file before it looks at any instruction
            try:
                check_instruction(node)
            except DockerfileError as error:
                raise self._located(error, node.joined) from None
            stage = stage or node.keyword == "FROM"
            if not stage and node.keyword != "ARG":
                raise DockerfileError("no build stage in current context", node.start)
        return Dockerfile(
            self.text, self.escape, tuple(self.directives.found), tuple(self.instructions), tuple(self.comments)
        )

    def _comment(self, start: int, end: int, number: int, to: list[Comment]) -> None:
        comment = Comment(start, end, number + 1)
        self.comments.append(comment)
        to.append(comment)

    def _continued(self, piece: str) -> str | None:
        """`piece` without its continuation character, or None where it has none."""
        if self.escape not in piece:
            return None
        trimmed = piece.rstrip(" \t")
        if trimmed[-1:] != self.escape:
            return None
        if len(trimmed) > 1 and trimmed[-2] == self.escape:
            return None
        return trimmed[:-1]

    def _instruction(self, first: str, begin: int, number: int, count: int) -> int:
        """Parses the instruction that begins on line `number` (from 0); returns the number of the line after it."""
        first_line = number
        inner: list[Comment] = []
        empty: list[int] = []
        head = self._continued(first)
        number += 1
        if head is None:
            joined = Joined(first, (0,), (begin,))
        else:
            pieces, sources = [head], [begin]
            while number < count:
                raw = self.lines[number]
                token = raw.rstrip("\r")
                bare = token.lstrip(GO_SPACE)
                start = self.starts[number]
                number += 1
                if not bare:
                    empty.append(start)
                    continue
                if bare[0] == "#":
                    at = start + len(token) - len(bare)
                    self._comment(at, at + len(bare), number - 1, inner)
                    continue
                rest = self._continued(token)
                pieces.append(token if rest is None else rest)
                sources.append(start)
                if rest is None:
                    break
            if "" in pieces:
                kept = [i for i, piece in enumerate(pieces) if piece] or [0]
                pieces, sources = [pieces[i] for i in kept], [sources[i] for i in kept]
            at_, starts_ = 0, []
            for piece in pieces:
                starts_.append(at_)
                at_ += len(piece)
            joined = Joined("".join(pieces), tuple(starts_), tuple(sources))
        try:
            fields: Any = self._node(joined, 0)  # no one else has it yet: it gets its places below
            spans = list(self._heredocs(fields, number, count)) if "<<" in joined.text else []
        except DockerfileError as error:
            raise self._located(error, joined) from None
        if spans:
            number = spans[-1][1] + 1
        last = number - 1
        end = self.starts[last] + len(self.lines[last].rstrip("\r"))
        fields.start, fields.end, fields.line, fields.last = begin, end, first_line + 1, last + 1
        if spans:
            fields.heredocs = tuple([heredoc for heredoc, _ in spans])
        if inner:
            fields.comments = tuple(inner)
        if empty:
            fields.empty_lines = tuple(empty)
        if self.above:
            fields.above = tuple(self.above)
            self.above = []
        self.instructions.append(fields)
        return number

    @staticmethod
    def _located(error: DockerfileError, joined: Joined) -> DockerfileError:
        """An error with an offset on the joined line, moved to the file (negative offsets are file offsets already)."""
        if error.offset < 0:
            return DockerfileError(error.message, -error.offset - 1)
        return DockerfileError(error.message, joined.source(min(error.offset, max(len(joined.text) - 1, 0))))

    def _node(self, joined: Joined, at: int) -> Instruction:
        """One instruction of a joined line from `at` on, without positions in the file."""
        text = joined.text
        while at < len(text) and text[at] in GO_SPACE:
            at += 1
        match = _KEYWORD.match(text, at, len(text.rstrip(GO_SPACE)))
        if match is None:  # a lone continuation character: BuildKit makes an instruction without a name of it
            return Instruction("", 0, 0, 0, 0, joined, (), at, at, "none", keyword_at=at)
        keyword = match[0].upper()
        begin = _BLANKS.match(text, match.end()).end()  # type: ignore[union-attr]  # matches always
        flags: tuple[Flag, ...] = ()
        if begin < len(text) and (text[begin] == "-" or text[begin] in _FLAG_SPACE):
            flags, begin = arguments.flags(text, begin)
        begin, stop = arguments.trim(joined, begin)
        form = "none"
        args: tuple[Argument, ...] = ()
        pairs: tuple[Pair, ...] = ()
        nested: Instruction | None = None
        kind = ""
        doubt: str | None = None
        if begin < stop:
            if keyword in _MAYBE_JSON:
                form, args, doubt = self._maybe_json(text, begin, stop, "shell")
            elif keyword in _MAYBE_JSON_LIST:
                form, args, doubt = self._maybe_json(text, begin, stop, "list")
            elif keyword in _LIST:
                form, args = "list", arguments.words(text, begin, stop)
            elif keyword in _TEXT:
                form, args = "text", (Argument(text[begin:stop], begin, stop),)
            elif keyword in ("ENV", "LABEL"):
                form, pairs = arguments.pairs(keyword, text, begin, stop, self.escape)
            elif keyword == "ARG":
                form, pairs = "pairs", arguments.arg_pairs(text, begin, stop, self.escape)
            elif keyword == "HEALTHCHECK":
                kind, begin = arguments.first_word(text, begin, stop)
                if begin < stop:
                    form, args, doubt = self._maybe_json(text, begin, stop, "shell")
            elif keyword == "ONBUILD":
                nested = self._node(joined, begin)
                form = "nested"
        return Instruction(
            keyword, 0, 0, 0, 0, joined, flags, begin, stop, form, args, pairs, kind,
            nested=nested, doubt=doubt, keyword_at=match.start(),
        )  # fmt: skip

    def _maybe_json(
        self, text: str, at: int, stop: int, otherwise: str
    ) -> tuple[str, tuple[Argument, ...], str | None]:
        doubt = None
        if text[at] == "[":
            array = arguments.json_array(text, at, stop)
            if array is not None:
                elements, end = array
                if not text[end:stop].strip(" \t\r\n"):
                    return "json", elements, None
                # text after the array: ignored before syntax 1.9, shell form since
                if self.level is not None and self.level < (1, 9):
                    return "json", elements, None
                if self.level is None:
                    doubt = "text follows a JSON array: exec form before Dockerfile syntax 1.9, shell form since"
                    return "json", elements, doubt
        if otherwise == "list":
            return "list", arguments.words(text, at, stop), doubt
        return "shell", (Argument(text[at:stop], at, stop),), doubt

    def _heredocs(self, instruction: Instruction, number: int, count: int) -> Iterator[tuple[Heredoc, int]]:
        """The heredocs of an instruction whose joined line ends before line `number`; with each its terminator line."""
        text = instruction.joined.text
        target = instruction.nested if instruction.nested is not None else instruction
        if target.keyword not in _HEREDOC_KEYWORDS or target.form == "json":
            return
        blanks = self.level is not None and self.level >= (1, 16)
        for name, expand, chomp, fd in heredoc_words(text, blanks=blanks):
            start = self.starts[number]
            while number < count:
                token = self.lines[number].rstrip("\r")
                if (token.lstrip("\t") if chomp else token) == name:
                    break
                number += 1
            else:
                raise DockerfileError("unterminated heredoc", -start - 1 if start < len(self.text) else 0)
            yield (
                Heredoc(name, expand, chomp, fd, start, self.starts[number], self.starts[number]
                        + len(self.lines[number].rstrip("\r"))),
                number,
            )  # fmt: skip
            number += 1


def heredoc_words(text: str, *, blanks: bool = False) -> list[tuple[str, bool, bool, int]]:
    """The heredocs that a joined line announces: (delimiter, expand, chomp, file descriptor), left to right.

    BuildKit finds them with its own word lexer, with a backslash as escape whatever the directive says. `blanks`: they
    may stand between `<<` and the delimiter (syntax 1.16).
    """
    from dfopt.syntax.expand import ExpansionError, expand_words

    try:
        words = expand_words(text, {}, raw_quotes=True, raw_escapes=True, skip_unset=True, heredoc_blanks=blanks)
    except ExpansionError:
        return []
    result: list[tuple[str, bool, bool, int]] = []
    for word in words:
        match = _HEREDOC.match(word)
        if match is None:
            continue
        try:
            bare = expand_words(match[3], {}, skip_unset=True)
            raw = expand_words(match[3], {}, raw_quotes=True, skip_unset=True)
        except ExpansionError as error:
            raise DockerfileError(str(error), 0) from None
        if len(bare) != 1:
            continue
        expand = _quotes(bare[0]) == _quotes(raw[0])
        result.append((bare[0], expand, match[2] == "-", whole_number(match[1] or "0")))
    return result


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
