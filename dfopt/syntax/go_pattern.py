"""Go's patterns in Python: `filepath.Match`, and the regular expressions that a .dockerignore pattern becomes.

Rules: Go's path/filepath/match.go (Linux) and regexp/syntax/parse.go with the flags that regexp.Compile sets; of that,
only what a .dockerignore pattern can lead to. BuildKit uses the first for sources of COPY and ADD, the second for
.dockerignore.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax import automaton
from dfopt.syntax.automaton import LinearPattern, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.automaton import Node

_ESCAPES = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PERL = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_REPEAT = regex(r"\{(\d+)(?:(,)(\d*))?\}")
_PLACES = {"^": automaton.at("A"), "$": automaton.at("Z"), ".": automaton.char(r"[^\n]")}
_MOST = 1000  # Go refuses larger repeat counts


class GoPatternError(ValueError):
    """A pattern that Go refuses. `understood` is False where dfopt itself cannot tell what it means."""

    def __init__(self, message: str, *, understood: bool = True) -> None:
        super().__init__(message)
        self.understood = understood


def go_regexp(text: str) -> LinearPattern:
    """A Go regular expression (its flags: Perl); its `search` finds a match in the strings in which Go's does."""
    try:
        return LinearPattern(_Regexp(text).read())
    except (TooLarge, RecursionError) as error:
        raise GoPatternError(f"the pattern is not understood: {error}", understood=False) from None


class _Regexp:
    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> Node:
        text = self.text
        branches: list[list[Node]] = [[]]  # of the group that is open
        opened: list[list[list[Node]]] = []  # those of the groups around it
        repeatable, repeated = False, False
        while self.at < len(text):
            char = text[self.at]
            again = False
            if char in "*?{":
                counts = self.repeat()
                if counts:
                    if not repeatable:
                        raise GoPatternError("missing argument to repetition operator")
                    if repeated:
                        raise GoPatternError("invalid nested repetition operator")
                    branches[-1][-1] = automaton.repeat(branches[-1][-1], *counts)
                    repeated = True
                    continue
                branches[-1].append(automaton.literal(char))
                self.at += 1
            elif char == "(":
                opened.append(branches)
                branches = [[]]
                self.at += 1
                again = True
            elif char == ")":
                if not opened:
                    raise GoPatternError("unexpected )")
                group = _either(branches)
                branches = opened.pop()
                branches[-1].append(group)
                self.at += 1
            elif char == "|":
                branches.append([])
                self.at += 1
                again = True
            elif char in _PLACES:
                branches[-1].append(_PLACES[char])
                self.at += 1
            elif char == "[":
                branches[-1].append(automaton.char(self.bracket()))
            elif char == "\\":
                branches[-1] += self.escape()
            else:
                branches[-1].append(automaton.literal(char))
                self.at += 1
            repeatable, repeated = not again, False
        if opened:
            raise GoPatternError("missing closing )")
        return _either(branches)

    def repeat(self) -> tuple[int, int | None] | None:
        """The least and the most of the repetition at the position; None for a "{" that is none."""
        char = self.text[self.at]
        if char != "{":
            self.at += 1
            return 0, None if char == "*" else 1
        match = _REPEAT.match(self.text, self.at)
        if match is None or any(len(number) > 1 and number[0] == "0" for number in (match[1], match[3] or "")):
            return None
        if max(len(match[1]), len(match[3] or "")) > 4:
            raise GoPatternError("invalid repeat count")
        least, most = int(match[1]), int(match[3]) if match[3] else None
        if least > _MOST or (most is not None and (most > _MOST or most < least)):
            raise GoPatternError("invalid repeat count")
        self.at = match.end()
        return least, most if match[2] else least

    def escape(self) -> list[Node]:
        """What an escape outside brackets stands for."""
        following = self.text[self.at + 1 : self.at + 2]
        if following in ("A", "b", "B", "z"):
            self.at += 2
            return [automaton.at("Z" if following == "z" else following)]
        if following == "Q":
            end = self.text.find(r"\E", self.at + 2)
            literal = self.text[self.at + 2 : end if end >= 0 else len(self.text)]
            self.at = end + 2 if end >= 0 else len(self.text)
            return [automaton.literal(one) for one in literal] or [automaton.sequence(())]
        if following in ("p", "P"):
            raise GoPatternError(rf"\{following} is not understood", understood=False)
        if following and following in "dDwWsS":
            self.at += 2
            return [automaton.char(f"[{'^' if following.isupper() else ''}{_PERL[following.lower()]}]")]
        return [automaton.literal(self.character())]

    def character(self) -> str:
        """The character that the escape at the position stands for."""
        text, at = self.text, self.at + 1
        if at >= len(text):
            raise GoPatternError("trailing backslash at end of expression")
        char = text[at]
        if char in _ESCAPES:
            self.at = at + 1
            return _ESCAPES[char]
        if char in "01234567" and (char == "0" or text[at + 1 : at + 2] in tuple("01234567")):
            digits = re.compile("[0-7]{1,3}").match(text, at)
            assert digits is not None
            self.at = digits.end()
            return chr(int(digits[0], 8))
        if char == "x":
            digits = re.compile(r"x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})").match(text, at)
            if digits is None or int(digits[1] or digits[2], 16) > 0x10FFFF:
                raise GoPatternError("invalid escape sequence")
            self.at = digits.end()
            return chr(int(digits[1] or digits[2], 16))
        if not char.isascii() or char.isalnum():
            raise GoPatternError("invalid escape sequence")
        self.at = at + 1
        return char

    def bracket(self) -> str:
        """The character class that begins at the position."""
        text, start = self.text, self.at
        self.at += 1
        negated = text[self.at : self.at + 1] == "^"
        self.at += negated
        members: list[str] = []
        excluded: list[str] = []  # members that are "everything but": \D, [:^alpha:]
        first = True
        while first or text[self.at : self.at + 1] != "]":
            first = False
            if self.at >= len(text):
                raise GoPatternError(f"missing closing ]: {text[start:]}")
            if text.startswith("[:", self.at) and len(text) - self.at > 2:
                end = text.find(":]", self.at + 2)
                if end >= 0:
                    name = text[self.at + 2 : end]
                    if name.removeprefix("^") not in _POSIX:
                        raise GoPatternError(f"invalid character class range: [:{name}:]")
                    (excluded if name[:1] == "^" else members).append(_POSIX[name.removeprefix("^")])
                    self.at = end + 2
                    continue
            following = text[self.at + 1 : self.at + 2] if text[self.at] == "\\" else ""
            if following in ("p", "P"):
                raise GoPatternError(rf"\{following} is not understood", understood=False)
            if following and following in "dDwWsS":
                (excluded if following.isupper() else members).append(_PERL[following.lower()])
                self.at += 2
                continue
            low = high = self.member(start)
            if text[self.at : self.at + 1] == "-" and text[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                high = self.member(start)
                if high < low:
                    raise GoPatternError(f"invalid character class range: {low}-{high}")
            members.append(re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}")
        self.at += 1
        inside = "".join(members)
        branches = ([f"[{inside}]"] if inside else []) + [f"[^{character}]" for character in excluded]
        if not excluded:
            return f"[{'^' if negated else ''}{inside}]"
        either = f"(?:{'|'.join(branches)})"
        return rf"(?:(?!{either})[\s\S])" if negated else either

    def member(self, start: int) -> str:
        if self.at >= len(self.text):
            raise GoPatternError(f"missing closing ]: {self.text[start:]}")
        char = self.text[self.at]
        if char == "\\":
            return self.character()
        self.at += 1
        return char


def _either(branches: list[list[Node]]) -> Node:
    sequences = [automaton.sequence(branch) for branch in branches]
    return sequences[0] if len(sequences) == 1 else automaton.either(sequences)


def match(pattern: str, name: str) -> bool:
    """`filepath.Match`: whether the pattern matches all of the name. Raises GoPatternError for a malformed pattern,
    as far as Go looks at it before it knows the answer."""
    while pattern:
        star, chunk, pattern = _chunk(pattern)
        if star and not chunk:
            return "/" not in name
        rest = _match_chunk(chunk, name)
        if rest is not None and (not rest or pattern):
            name = rest
            continue
        if not star:
            return False
        for at in range(len(name)):
            if name[at] == "/":
                return False
            rest = _match_chunk(chunk, name[at + 1 :])
            if rest is not None and (pattern or not rest):
                name = rest
                break
        else:
            return False
    return not name


def has_wildcard(pattern: str) -> bool:
    """Whether BuildKit takes a COPY source for a pattern."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] in "*?[":
            return True
        at += 1
    return False


def _chunk(pattern: str) -> tuple[bool, str, str]:
    """Whether stars come first, the text after them up to the next star, and the rest."""
    text = pattern.lstrip("*")
    inside = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "[":
            inside = True
        elif char == "]":
            inside = False
        elif char == "*" and not inside:
            break
        at += 1
    return text != pattern, text[:at], text[at:]


def _match_chunk(chunk: str, name: str) -> str | None:
    """What is left of the name after a match at its beginning; None without one. All of the chunk is checked."""
    failed = False
    at = 0
    while at < len(chunk):
        failed = failed or not name
        char, head = chunk[at], name[:1]
        name = name[1:]
        at += 1
        if char == "[":
            matched, at = _in_class(chunk, at, head)
            failed = failed or not matched
        elif char == "?":
            failed = failed or head == "/"
        else:
            if char == "\\":
                if at == len(chunk):
                    raise GoPatternError("syntax error in pattern")
                char = chunk[at]
                at += 1
            failed = failed or head != char
    return None if failed else name


def _in_class(chunk: str, at: int, char: str) -> tuple[bool, int]:
    negated = chunk[at : at + 1] == "^"
    at += negated
    matched = False
    first = True
    while first or chunk[at : at + 1] != "]":
        first = False
        low, at = _class_member(chunk, at)
        high = low
        if chunk[at] == "-":
            high, at = _class_member(chunk, at + 1)
        matched = matched or low <= char <= high
    return matched != negated, at + 1


def _class_member(chunk: str, at: int) -> tuple[str, int]:
    if chunk[at : at + 1] in ("-", "]"):
        raise GoPatternError("syntax error in pattern")
    if chunk[at : at + 1] == "\\":
        at += 1
    if at + 1 >= len(chunk):  # nothing there, or nothing after it that could close the class
        raise GoPatternError("syntax error in pattern")
    return chunk[at], at + 1
