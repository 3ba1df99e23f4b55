"""What a .dockerignore file leaves out of the build context, exactly as BuildKit has it.

Rules: moby/patternmatcher (ignorefile/ignorefile.go for the lines, patternmatcher.go for the patterns) and the walk of
tonistiigi/fsutil (filter.go), which sends the context. They are not those of .gitignore: a pattern is anchored at the
root of the context, a path is looked at with all its parents, the last pattern that matches decides, and what stands
below a directory that is left out may come back.
"""

from __future__ import annotations

from dfopt.record import Record
from dfopt.syntax.go_pattern import GoPatternError, go_regexp, match
from dfopt.syntax.tree import GO_SPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.syntax.automaton import LinearPattern

_LONGEST = 64 * 1024  # bytes of a line; Go's bufio.Scanner gives up at this
_ESCAPED = frozenset(".+()$")  # BuildKit means to escape "|{}" too, but its bitmap ends at "@"


class IgnoreError(ValueError):
    """A .dockerignore that BuildKit refuses (or, with `understood` False, one that dfopt cannot judge)."""

    def __init__(self, message: str, *, understood: bool = True) -> None:
        super().__init__(message)
        self.understood = understood


def clean(path: str) -> str:
    """Go's path.Clean."""
    if not path:
        return "."
    rooted = path[0] == "/"
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".." or not rooted:
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def pattern_of(line: str) -> str:
    """The pattern of a line without its line end; "" for a comment or a blank line."""
    if line.startswith("#"):
        return ""
    text = line.strip(GO_SPACE)
    if not text:
        return ""
    inverted = text[0] == "!"
    if inverted:
        text = text[1:].strip(GO_SPACE)
    if text:
        text = clean(text)
        if len(text) > 1 and text[0] == "/":
            text = text[1:]
    return "!" + text if inverted else text


def lines_of(data: bytes) -> list[str]:
    """The lines of a .dockerignore, without line ends and byte order mark; undecodable bytes as lone surrogates.
    Raises IgnoreError for a line that BuildKit cannot read."""
    parts = data.split(b"\n")
    if any(len(part) >= _LONGEST for part in parts):
        raise IgnoreError("a line is too long")
    lines = [part.removesuffix(b"\r").decode("utf-8", "surrogateescape") for part in parts]
    lines[0] = lines[0].removeprefix("\ufeff")
    return lines


class DockerignorePattern(Record):
    """One pattern. `cleaned` is without "!"; `kind` and `regex` say how it is compared: "exact", "prefix", "suffix",
    "regex"; a `regex` of None was refused, for the reason `error`."""

    cleaned: str
    exception: bool
    kind: str
    regex: LinearPattern | None
    error: GoPatternError | None

    def matches(self, path: str) -> bool:
        """Whether this pattern matches the path itself. Raises IgnoreError."""
        if self.kind == "exact":
            return path == self.cleaned
        if self.kind == "prefix":
            return path.startswith(self.cleaned[:-2])
        if self.kind == "suffix":
            suffix = self.cleaned[2:]
            return path.endswith(suffix) or (suffix[0] == "/" and path == suffix[1:])
        if self.regex is None:
            error = self.error
            assert error is not None
            raise IgnoreError(f'pattern "{self.cleaned}": {error}', understood=error.understood)
        return self.regex.search(_runes(path))

    @property
    def stem(self) -> str:
        return self.cleaned.removesuffix("/**").removesuffix("/*")


def _runes(text: str) -> str:
    """As Go's regular expressions see a string: a byte that is not UTF-8 is U+FFFD."""
    if text.isascii():
        return text
    return "".join(["\ufffd" if "\udc80" <= char <= "\udcff" else char for char in text])


def compile_pattern(text: str) -> DockerignorePattern | None:
    """A pattern of a list (see `pattern_of`); None for a blank one. Raises IgnoreError."""
    text = text.strip(GO_SPACE)
    if not text:
        return None
    text = clean(text)
    exception = text[0] == "!"
    if exception:
        text = text[1:]
        if not text:
            raise IgnoreError('illegal exclusion pattern: "!"')
    try:
        match(text, ".")  # as BuildKit checks the syntax
    except GoPatternError as error:
        raise IgnoreError(f'pattern "{text}": {error}') from None
    kind, regex = _translate(_runes(text).removeprefix("\ufeff"))
    if kind != "regex":
        return DockerignorePattern(text, exception, kind, None, None)
    try:
        return DockerignorePattern(text, exception, kind, go_regexp(f"^{regex}$"), None)
    except GoPatternError as error:
        return DockerignorePattern(
            text, exception, kind, None, error
        )  # BuildKit finds out only when it uses the pattern


def _translate(text: str) -> tuple[str, str]:
    """(kind, regular expression in Go's syntax)."""
    kind = "exact"
    out: list[str] = []
    at = 0
    while at < len(text):
        char, first = text[at], at == 0
        at += 1
        if char == "*":
            if text[at : at + 1] == "*":
                at += 1
                if text[at : at + 1] == "/":
                    at += 1
                if at == len(text):
                    if kind == "exact":
                        kind = "prefix"
                    else:
                        out.append(".*")
                        kind = "regex"
                else:
                    out.append("(.*/)?")
                    kind = "regex"
                if first:
                    kind = "suffix"
            else:
                out.append("[^/]*")
                kind = "regex"
        elif char == "?":
            out.append("[^/]")
            kind = "regex"
        elif char in _ESCAPED:
            out.append("\\" + char)
        elif char == "\\":
            if at < len(text):
                out.append("\\" + text[at])
                at += 1
                kind = "regex"
            else:
                out.append("\\")
        else:
            if char in "[]":
                kind = "regex"
            out.append(char)
    return kind, "".join(out)


class Matcher:
    """The patterns of one .dockerignore (`written`: as they were given). `state`s are what a walk keeps of a directory
    for what is below it."""

    __slots__ = ("exceptions", "patterns", "plain_exceptions", "written")

    def __init__(self, patterns: Iterable[str]) -> None:
        """From a list of patterns as `pattern_of` gives them. Raises IgnoreError."""
        self.written = tuple(patterns)
        self.patterns = [compiled for compiled in map(compile_pattern, self.written) if compiled is not None]
        self.exceptions = any(pattern.exception for pattern in self.patterns)
        # BuildKit then skips a directory as a whole where no exception can reach below it
        self.plain_exceptions = not any(
            pattern.exception and any(char in "*[]?^\\" for char in pattern.stem) for pattern in self.patterns
        )

    def step(self, path: str, above: tuple[bool, ...] | None) -> tuple[bool, tuple[bool, ...]]:
        """Whether `path` is left out, and the state for what is below it. `above`: the state of its directory; None
        at the root of the context. Raises IgnoreError."""
        left_out = False
        state: list[bool] = []
        for number, pattern in enumerate(self.patterns):
            matched = above is not None and above[number]
            if not matched:
                if pattern.exception != left_out:
                    state.append(False)
                    continue
                matched = pattern.matches(path)
            state.append(matched)
            if matched:
                left_out = not pattern.exception
        return left_out, tuple(state)

    def prunes(self, path: str) -> bool:
        """Whether nothing below a directory that is left out can come back, as BuildKit decides it."""
        if not self.plain_exceptions:
            return False
        below = path + "/"
        return not any(pattern.exception and (pattern.stem + "/").startswith(below) for pattern in self.patterns)

    def leaves_out(self, path: str) -> bool:
        """Whether a path of the context ("/"-separated, relative) is left out, its directories walked one by one.
        Raises IgnoreError."""
        if not self.patterns:
            return False
        above: tuple[bool, ...] | None = None
        parts = path.split("/")
        left_out = False
        for end in range(1, len(parts) + 1):
            at = "/".join(parts[:end])
            left_out, above = self.step(at, above)
            if left_out and end < len(parts) and self.prunes(at):
                return True
        return left_out


def read(data: bytes) -> Matcher:
    """The matcher of a .dockerignore's bytes. Raises IgnoreError."""
    return Matcher([pattern for line in lines_of(data) if (pattern := pattern_of(line))])
