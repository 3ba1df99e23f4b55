"""What a backslash means in each kind of quoting, and which braces the shell expands."""

from __future__ import annotations

import re

from dfopt.lazy import regex

# XCU 2.2.1: outside of quotes a backslash keeps the next character; backslash-newline is nothing.
_ANY = regex(r"\\([\s\S])")
# XCU 2.2.3: inside double quotes it does so before these only.
_DOUBLE = regex(r"\\([$`\"\\\n])")
# XCU 2.6.3: and in backquotes before these; inside double quotes before `"` too.
_BACKQUOTE = regex(r"\\([$`\\])")
_BACKQUOTE_DOUBLE = regex(r"\\([$`\"\\])")

# bash manual 3.1.2.4
_ANSI = regex(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c([\s\S]))"
)
_NAMED = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_BRACE = regex(r"[{},]")
# bash manual 3.5.1: {x..y[..incr]} with integers or single letters
_SEQUENCE = regex(r"(?:-?\d+\.\.-?\d+|[A-Za-z]\.\.[A-Za-z])(?:\.\.-?\d+)?\Z")


def _kept(match: re.Match[str]) -> str:
    char = match[1]
    return "" if char == "\n" else char


def unescape(raw: str) -> str:
    """The value of unquoted characters."""
    return _ANY.sub(_kept, raw)


def mask(raw: str) -> str:
    """Unquoted characters with each escaped one replaced by `_`: what is still active in there."""
    return _ANY.sub(lambda found: "" if found[1] == "\n" else "_", raw)


def unescape_double(raw: str) -> str:
    """The value of characters inside double quotes."""
    return _DOUBLE.sub(_kept, raw)


def unescape_backquoted(raw: str, *, quoted: bool) -> str:
    """The command inside backquotes, which may stand in double quotes."""
    return (_BACKQUOTE_DOUBLE if quoted else _BACKQUOTE).sub(r"\1", raw)


def unescape_ansi(raw: str) -> str:
    """The value of what stands in `$'...'`: bytes given by number are joined and decoded as UTF-8 with surrogateescape
    as all text is; a NUL ends the string."""

    def resolved(match: re.Match[str]) -> str:
        name, octal, hexadecimal, short, long, control = match.groups()
        if name is not None:
            return _NAMED.get(name, name)
        if control is not None:
            return chr(ord(control.upper()) & 0x1F) if ord(control) < 128 else match[0]
        if octal is not None or hexadecimal is not None:
            byte = int(octal, 8) & 0xFF if octal is not None else int(hexadecimal, 16)
            return bytes((byte,)).decode("utf-8", "surrogateescape")
        number = int(short or long, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]

    value = _ANSI.sub(resolved, raw)
    if not value.isascii():  # bytes that were written one by one may form a character
        value = value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return value.partition("\0")[0]


def expands_braces(masked: str) -> bool:
    """Whether bash expands a brace in this word, given with quoted and expanded parts masked: a pair of braces holds a
    comma at its own level or a sequence."""
    opened: list[tuple[int, bool]] = []
    for match in _BRACE.finditer(masked):
        char = match[0]
        if char == "{":
            opened.append((match.end(), False))
        elif opened and char == ",":
            opened[-1] = (opened[-1][0], True)
        elif opened:
            start, comma = opened.pop()
            if comma or _SEQUENCE.match(masked, start, match.start()):
                return True
    return False
