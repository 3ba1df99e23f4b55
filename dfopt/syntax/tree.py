"""The Dockerfile tree: what is written, losslessly, with no meaning.

Offsets named `start` and `end` are half-open spans in the file's text. An instruction's arguments live on its *joined
line*: the logical line that BuildKit makes of continuation lines (comment lines and blank lines inside it removed, the
escape characters at the line ends removed, nothing added). Offsets on the joined line are named `at` and `stop`, and
`Joined.span` maps them back to the file.
"""

from __future__ import annotations

from bisect import bisect_right

from dfopt.record import Record

# unicode.IsSpace of Go, which differs from str.isspace (that one also takes U+001C..U+001F)
GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004"
    "\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


class DockerfileError(Exception):
    """A file that BuildKit would reject. `offset` is where in the text; the message follows BuildKit's wording."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Joined(Record):
    """A joined line: its text, and for each physical piece where it begins on the line and in the file."""

    text: str
    starts: tuple[int, ...]  # offsets on the joined line, ascending, the first is 0
    sources: tuple[int, ...]  # offsets in the file, one for each of `starts`

    def source(self, at: int) -> int:
        """The offset in the file of the character at `at`."""
        if len(self.starts) == 1:
            return self.sources[0] + at
        piece = bisect_right(self.starts, at) - 1
        return self.sources[piece] + at - self.starts[piece]

    def span(self, at: int, stop: int) -> tuple[int, int]:
        """The span in the file of `text[at:stop]`. It may hold line continuations; it never ends in one."""
        if stop <= at:
            where = self.source(at)
            return where, where
        return self.source(at), self.source(stop - 1) + 1


class Flag(Record):
    """`--name=value` before the arguments. `value` is None without `=`; quotes and escapes are resolved."""

    name: str
    value: str | None
    at: int
    stop: int


class Argument(Record):
    """One argument as BuildKit splits it. `value` is what BuildKit hands on: for JSON form the decoded string, else
    the raw text. `at`/`stop` span it on the joined line (with its quotes in JSON form)."""

    value: str
    at: int
    stop: int


class Pair(Record):
    """One `name=value` (or `name value`, old form) of ENV and LABEL, or one ARG; `value` is None for `ARG name`.
    Quotes are kept: they are resolved by word expansion."""

    name: str
    value: str | None
    at: int
    stop: int
    value_at: int


class Heredoc(Record):
    """A heredoc of RUN, COPY or ADD: its delimiter as written on the line, and its body in the file.

    `text[start:end]` is the body (empty, or ending in a newline); `end:close` is the terminator line without its
    newline. `expand`: not quoted. `chomp`: `<<-`. `fd`: the file descriptor, 0 if none was written."""

    name: str
    expand: bool
    chomp: bool
    fd: int
    start: int
    end: int
    close: int


class Comment(Record):
    """A comment line (`start` is its `#`, `end` excludes the newline); `line` counts from 1."""

    start: int
    end: int
    line: int


class Instruction(Record):
    """One instruction.

    keyword    upper case; as written it is `text[start:start + len(keyword)]` unless the keyword itself is broken by a
               continuation
    start,end  from the keyword to the end of the last line that belongs to it, heredocs included, newline excluded
    line,last  first and last line, from 1
    joined     the joined line, from the keyword on
    flags      the builder flags
    at,stop    the arguments on the joined line, trimmed
    form       "json", "shell" (RUN, CMD, ENTRYPOINT, HEALTHCHECK CMD as text), "list" (blank-separated words),
               "pairs", "legacy" (ENV/LABEL name value), "text" (one string), "nested" (ONBUILD), "none"
    arguments  of "json", "list", "text"; for HEALTHCHECK without the type
    pairs      of "pairs", "legacy" and ARG
    kind       HEALTHCHECK's type as written ("CMD", "NONE")
    comments   the comment lines inside the continuation; `empty_lines` the offsets of blank ones
    above      the comment lines directly above
    nested     ONBUILD's instruction; its joined line is the same
    doubt      why engines disagree about this instruction, or None
    """

    keyword: str
    start: int
    end: int
    line: int
    last: int
    joined: Joined
    flags: tuple[Flag, ...]
    at: int
    stop: int
    form: str
    arguments: tuple[Argument, ...] = ()
    pairs: tuple[Pair, ...] = ()
    kind: str = ""
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[Comment, ...] = ()
    empty_lines: tuple[int, ...] = ()
    above: tuple[Comment, ...] = ()
    nested: Instruction | None = None
    doubt: str | None = None
    keyword_at: int = 0  # of a nested instruction: where its keyword begins on the joined line

    @property
    def body(self) -> str:
        """The arguments as one string: what a shell sees in shell form, without heredocs."""
        return self.joined.text[self.at : self.stop]

    def flag(self, name: str) -> Flag | None:
        return next((flag for flag in self.flags if flag.name == name), None)

    def body_span(self, at: int, stop: int) -> tuple[int, int]:
        """The span in the file of `body[at:stop]`."""
        return self.joined.span(self.at + at, self.at + stop)


class Directive(Record):
    """A parser directive: name in lower case, value, and the span of the value."""

    name: str
    value: str
    start: int
    end: int
    line: int


class Dockerfile(Record):
    """A parsed file. `text` is the whole source; nothing in it is ever re-printed."""

    text: str
    escape: str
    directives: tuple[Directive, ...]
    instructions: tuple[Instruction, ...]
    comments: tuple[Comment, ...]

    def directive(self, name: str) -> Directive | None:
        return next((d for d in self.directives if d.name == name), None)
