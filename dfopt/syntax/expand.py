"""Word expansion: quotes, escapes and variables of one Dockerfile word, as BuildKit resolves them.

Rules: BuildKit frontend/dockerfile/shell/lex.go (0.13; the pattern operators `#`, `##`, `%`, `%%`, `/`, `//` included).
Two later changes are followed: `${x#}` (0.13 crashes on the empty pattern) trims nothing, and `${x:#p}`, `${x:%p}`
(which 0.13 takes for `${x#p}`, `${x%p}`) are errors.

A variable may be *unknown*: an environment answers `UNKNOWN` for it, which means any value, or none. What depends on
it is UNKNOWN too; what does not (`${known:-$unknown}`) is still expanded. A result is never guessed.
"""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.shell_pattern import BOM, PatternError, clean, compile_pattern, reversed_pattern, substituted, trimmed
from dfopt.syntax.tree import GO_SPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Protocol, TypeAlias, TypeVar

    Text: TypeAlias = "str | Unknown"
    Value = TypeVar("Value", bound=Text)
    Value_co = TypeVar("Value_co", bound=Text, covariant=True)

    class Lookup(Protocol[Value_co]):
        """An environment (a dict is one): a variable's value, None if it is not set, UNKNOWN if that is not known.
        Of an environment that never answers UNKNOWN, the results are never UNKNOWN either, and typed so."""

        def get(self, name: str, /) -> Value_co | None: ...


class Unknown:
    """The type of `UNKNOWN`, its only object. `isinstance(x, str)` tells a known result from it."""

    __slots__ = ()
    _only: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._only is None:
            cls._only = object.__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> NoReturn:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is UNKNOWN`")

    def __reduce__(self) -> str:  # stays the one object across processes
        return "UNKNOWN"


UNKNOWN = Unknown()


class ExpansionError(Exception):
    """A word that BuildKit cannot expand. `reason` is the cause, `message` (and `str`) is what BuildKit prints."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


class Variable(Record):
    """One use of a variable in a word.

    `word[start:end]` is the whole use, from its `$`. `operator` is as written: "" for `$x` and `${x}`, else one of
    `:- - :+ + :? ? # ## % %% / //`. `word[operand_start:operand_end]` is what follows the operator (for `/` and `//`:
    pattern, slash and replacement); empty, at the use's end, without one."""

    name: str
    start: int
    end: int
    operator: str
    operand_start: int
    operand_end: int


def expand_word(
    word: str,
    env: Lookup[Value],
    *,
    escape: str = "\\",
    raw_quotes: bool = False,
    raw_escapes: bool = False,
    skip_quotes: bool = False,
    skip_unset: bool = False,
) -> str | Value:
    """`word` with quotes and escapes resolved and variables replaced. UNKNOWN only where `env` answers UNKNOWN.

    escape       the escape character: a backslash, or what `# escape=` says
    raw_quotes   keep the quote characters        raw_escapes  keep the escape characters
    skip_quotes  quotes are ordinary characters   skip_unset   leave variables that are not set as they are

    Undecodable bytes (lone surrogates) become U+FFFD, as in BuildKit. Raises ExpansionError.
    """
    if _SPECIAL.search(word) is None:
        return word
    scan = _Scan(word, env, escape, raw_quotes, skip_quotes, skip_unset)
    return scan.run(raw_escapes)[0]  # type: ignore[return-value]  # UNKNOWN only where `env` gave it


def expand_words(
    word: str,
    env: Lookup[Value],
    *,
    escape: str = "\\",
    raw_quotes: bool = False,
    raw_escapes: bool = False,
    skip_quotes: bool = False,
    skip_unset: bool = False,
    heredoc_blanks: bool = False,
) -> list[str | Value]:
    """`word` expanded as by `expand_word`, then split at the blanks (unicode.IsSpace) that are neither quoted nor
    escaped. `heredoc_blanks`: blanks after `<<` belong to the word (Dockerfile syntax 1.16 and later).

    BuildKit's newest lexer loses what stands before a `${x:-w}` in the same word here (`80${x:-80}` becomes `80`); 0.13
    does not, and this follows 0.13.

    `[UNKNOWN]` where the result depends on an unknown value: neither the words nor their number are known. Raises
    ExpansionError."""
    scan = _Scan(word, env, escape, raw_quotes, skip_quotes, skip_unset, heredoc_blanks)
    result, pieces = scan.run(raw_escapes)
    if isinstance(result, Unknown):
        return [UNKNOWN]  # type: ignore[list-item]  # only where `env` gave it
    words: list[str | Value] = []
    current = ""
    for index, piece in enumerate(pieces):
        text = clean(str(piece))
        if index in scan.solid:
            current += text
            continue
        first, *others = _BLANK.split(text)
        current += first
        for other in others:
            if current:
                words.append(current)
            current = other
    if current:
        words.append(current)
    return words


def variables(word: str, escape: str = "\\") -> list[Variable]:
    """The variables that `word` uses, nested ones included, in the order of their `$`. Positional and special
    parameters (`$1`, `$@`) are among them: BuildKit looks them up like any name. Raises ExpansionError where no
    environment could expand the word."""
    scan = _Scan(word, _Nothing(), escape, False, False, False)
    result: list[Variable] = []
    scan.uses = result
    scan.run(False)
    result.sort(key=lambda use: use.start)
    return result


class _Nothing:
    """The environment of which nothing is known."""

    def get(self, name: str, /) -> Unknown:
        return UNKNOWN


# --- the lexer -------------------------------------------------------------------------------------------------------

_SPECIAL = regex("[$'\"\\\\`\ufeff\udc80-\udcff]")
_PLAIN = regex("[^$'\"\\\\`}/<]+")
_BLANK = regex(f"[{GO_SPACE}]")
_HEREDOC_BLANKS = regex("[\t\r ]*")
# BuildKit sets no limits; these keep a hostile file (`ENV A=$A$A`, again and again) from exhausting stack or memory
_DEEPEST = 64  # nested ${...}
_LONGEST = 1 << 22  # characters of a result: Linux takes no more than 2**17 bytes for one environment variable
_MISSING_BRACE = "syntax error: missing '}'"


class _Failure(Exception):
    """The cause of an ExpansionError, on its way out."""


class _Scan:
    """One walk over a word. `at` is the next character; `solid` the indices of the top level's pieces that hold no word
    boundary; `doubt` is set where an unknown value decides whether BuildKit reports an error."""

    __slots__ = (
        "at", "depth", "doubt", "env", "escape", "heredoc_blanks", "raw_quotes", "skip_quotes", "skip_unset", "solid",
        "text", "uses", "word",
    )  # fmt: skip

    def __init__(
        self, word: str, env: Lookup[Text], escape: str, raw_quotes: bool, skip_quotes: bool, skip_unset: bool,
        heredoc_blanks: bool = False,
    ) -> None:  # fmt: skip
        self.word = word
        self.text = clean(word)
        self.at = len(word) - len(word.removeprefix(BOM))  # Go's text/scanner drops it
        self.env = env
        self.escape = escape
        self.raw_quotes = raw_quotes
        self.skip_quotes = skip_quotes
        self.skip_unset = skip_unset
        self.heredoc_blanks = heredoc_blanks
        self.depth = 0
        self.solid: set[int] = set()
        self.doubt = False
        self.uses: list[Variable] | None = None

    def run(self, raw: bool) -> tuple[Text, list[Text]]:
        """The whole result, and the pieces that it was made of."""
        try:
            pieces = self.until("", raw, self.solid)
            return UNKNOWN if self.doubt else _join(pieces), pieces
        except _Failure as failure:
            reason = str(failure)
            raise ExpansionError(f"failed to process {quote(self.word)}: {reason}", reason) from None

    def until(self, stop: str, raw: bool, solid: set[int] | None = None) -> list[Text]:
        """The pieces up to the character `stop` (which is consumed), or to the end of the word for ""."""
        text, size = self.text, len(self.text)
        pieces: list[Text] = []
        while self.at < size:
            plain = _PLAIN.match(text, self.at)
            if plain is not None:
                pieces.append(plain[0])
                self.at = plain.end()
                continue
            char = text[self.at]
            if char == stop:
                self.at += 1
                return pieces
            if char == "$":
                pieces.append(self.dollar())
                continue
            kept = True
            if char in "'\"" and not self.skip_quotes:
                pieces.append(self.single_quoted() if char == "'" else self.double_quoted(raw))
            elif char == self.escape:
                following = text[self.at + 1 : self.at + 2]
                pieces.append(char + following if raw else following)
                self.at += 2
            elif char == "<" and self.heredoc_blanks and text.startswith("<<", self.at):
                end = _HEREDOC_BLANKS.match(text, self.at + 2).end()  # type: ignore[union-attr]  # matches always
                pieces.append(text[self.at : end])
                self.at = end
            else:
                pieces.append(char)
                self.at += 1
                kept = False
            if kept and solid is not None:
                solid.add(len(pieces) - 1)
        self.at = size  # an escape at the very end leaves it one too far
        if stop:
            raise _Failure(f"unexpected end of statement while looking for matching {stop}")
        return pieces

    def single_quoted(self) -> str:
        start = self.at
        end = self.text.find("'", start + 1)
        if end < 0:
            self.at = len(self.text)
            raise _Failure("unexpected end of statement while looking for matching single-quote")
        self.at = end + 1
        return self.text[start : end + 1] if self.raw_quotes else self.text[start + 1 : end]

    def double_quoted(self, raw: bool) -> Text:
        text, size = self.text, len(self.text)
        pieces: list[Text] = ['"'] if self.raw_quotes else []
        self.at += 1
        while self.at < size:
            char = text[self.at]
            if char == "$":
                pieces.append(self.dollar())
                continue
            self.at += 1
            if char == '"':
                if self.raw_quotes:
                    pieces.append(char)
                return _join(pieces)
            if char == self.escape:
                following = text[self.at : self.at + 1]
                if raw:
                    pieces.append(char)
                if not following:
                    break
                if following in ('"', "$", self.escape):
                    char = following
                    self.at += 1
            pieces.append(char)
        raise _Failure("unexpected end of statement while looking for matching double-quote")

    def name(self) -> str:
        """A name, a number, one special parameter, or nothing."""
        text, size, start = self.text, len(self.text), self.at
        if start >= size:
            return ""
        if text[start].isdecimal():
            while self.at < size and text[self.at].isdecimal():
                self.at += 1
        elif text[start] in "@*#?-$!":
            self.at += 1
        else:
            while self.at < size and (text[self.at].isalpha() or text[self.at].isdecimal() or text[self.at] == "_"):
                self.at += 1
        return text[start : self.at]

    def used(self, name: str, start: int, operator: str = "", operand: int = -1) -> None:
        if self.uses is not None and name:
            end = self.at
            span = (end, end) if operand < 0 else (operand, end - 1)
            self.uses.append(Variable(name, start, end, operator, *span))

    def dollar(self) -> Text:
        start = self.at
        self.at += 1
        if self.text.startswith("{", self.at):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _Failure(f"more than {_DEEPEST} nested substitutions")
            value = self.braced(start)
            self.depth -= 1
            return value
        name = self.name()
        if not name:
            return "$"
        self.used(name, start)
        bound = self.env.get(name)
        if bound is None:
            return "$" + name if self.skip_unset else ""
        return bound

    def nested(self, stop: str, raw: bool, missing: str) -> Text:
        """The expansion of what stands before `stop`; `missing` is the error where the word ends first."""
        try:
            return _join(self.until(stop, raw))
        except _Failure:
            if self.at >= len(self.text):
                raise _Failure(missing) from None
            raise

    def braced(self, start: int) -> Text:
        text = self.text
        self.at += 1
        first = text[self.at : self.at + 1]
        if not first:
            raise _Failure(_MISSING_BRACE)
        if first in "{}:":
            raise _Failure("syntax error: bad substitution")
        name = self.name()
        operator = text[self.at : self.at + 1] or "\ufffd"
        self.at += 1
        if operator == "}":
            self.used(name, start)
            value = self.env.get(name)
            if value is None:
                return f"${{{name}}}" if self.skip_unset else ""
            return value
        if operator == "/":
            return self.replaced(name, start)
        if operator == ":":
            operator += text[self.at : self.at + 1] or "\ufffd"
            self.at += 1
        elif operator not in "+-?#%":
            raise _Failure(f"unsupported modifier ({operator}) in substitution")
        if operator in (":#", ":%"):
            raise _Failure(f"unsupported modifier ({operator}) in substitution")
        begin = self.at
        operand = self.nested("}", operator in "#%", _MISSING_BRACE)
        doubled = operator in "#%" and text.startswith(operator, begin)
        self.used(name, start, operator * 2 if doubled else operator, begin + doubled)
        value = self.env.get(name)
        if self.skip_unset and value is None:
            return _join([f"${{{name}{operator}", operand, "}"])
        if self.skip_unset and isinstance(value, Unknown):
            self.doubt = True  # whether the operator is looked at at all
            return UNKNOWN
        return self.operated(name, operator, operand, value)

    def operated(self, name: str, operator: str, operand: Text, bound: Text | None) -> Text:
        unknown = isinstance(bound, Unknown)
        absent = bound is None or (operator[0] == ":" and not unknown and bound == "")
        if operator in (":-", "-"):
            return operand if absent or bound is None else bound
        if operator in (":+", "+"):
            if unknown and operand != "":
                return UNKNOWN
            return "" if absent else operand
        if operator in (":?", "?"):
            if absent:
                default = f"is not allowed to be {'unset' if bound is None else 'empty'}"
                raise _Failure(f"{name}: {operand if isinstance(operand, str) and operand else default}")
            if bound is None or unknown:
                self.doubt = True
                return UNKNOWN
            return bound
        if operator in ("#", "%"):
            if isinstance(operand, Unknown):
                self.doubt = True  # it may be no pattern
                return UNKNOWN
            greedy = operand.startswith(operator)
            pattern = operand[1:] if greedy else operand
            tokens = self.pattern(pattern if operator == "#" else reversed_pattern(pattern))
            if isinstance(bound, Unknown):
                return UNKNOWN
            value = bound or ""
            if operator == "#":
                return trimmed(tokens, value, greedy)
            return trimmed(tokens, clean(value)[::-1], greedy)[::-1]
        raise _Failure(f"unsupported modifier ({operator}) in substitution")

    @staticmethod
    def pattern(pattern: str) -> list[str | int]:
        try:
            return compile_pattern(pattern)
        except PatternError as error:
            raise _Failure(f"invalid pattern ({pattern}) in substitution: {error}") from None

    def replaced(self, name: str, start: int) -> Text:
        every = self.text.startswith("/", self.at)
        self.at += every
        begin = self.at
        pattern = self.nested("/", True, "syntax error: missing '/' in ${}")
        replacement = self.nested("}", True, _MISSING_BRACE)
        self.used(name, start, "//" if every else "/", begin)
        value = self.env.get(name)
        if self.skip_unset and value is None:  # BuildKit writes one slash here, for `//` too
            return _join([f"${{{name}/", pattern, "/", replacement, "}"])
        if isinstance(pattern, Unknown) or (self.skip_unset and isinstance(value, Unknown)):
            self.doubt = True
            return UNKNOWN
        tokens = self.pattern(pattern)
        if isinstance(value, Unknown) or isinstance(replacement, Unknown):
            return UNKNOWN
        return substituted(tokens, value or "", replacement, every)


def _join(pieces: list[Text]) -> Text:
    strings = [piece for piece in pieces if isinstance(piece, str)]
    if sum(map(len, strings)) > _LONGEST:
        raise _Failure(f"the result is longer than {_LONGEST} characters")
    return "".join(strings) if len(strings) == len(pieces) else UNKNOWN


def quote(text: str) -> str:
    """`text` as Go's `%q` prints it."""
    return '"' + "".join([_QUOTED.get(char) or (char if char.isprintable() else _escaped(char)) for char in text]) + '"'


_QUOTED = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"
}  # fmt: skip


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # an undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
