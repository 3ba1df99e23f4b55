"""The arguments of one instruction: flags, JSON form, words, name/value pairs.

Rules: BuildKit frontend/dockerfile/parser/{split_command,line_parsers}.go. Every offset is one on the joined line.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.tree import GO_SPACE, Argument, DockerfileError, Flag, Joined, Pair

_WORD = regex(r"[^\t\v\f\r ]+")
_BLANKS = regex(r"[\t\v\f\r ]+")
_STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
_JSON_STRING = regex(_STRING)
_JSON_ARRAY = regex(rf"\[[ \t\r\n]*(?:{_STRING}[ \t\r\n]*(?:,[ \t\r\n]*{_STRING}[ \t\r\n]*)*)?\]")
_JSON_ESCAPE = regex(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"


def json_array(text: str, at: int, stop: int) -> tuple[tuple[Argument, ...], int] | None:
    """The JSON array of strings at `text[at:stop]` and the offset after it, or None where BuildKit falls back to text.

    Raises DockerfileError (offset on the joined line) for an array that holds anything but strings.
    """
    if text[at : at + 1] != "[":
        return None
    match = _JSON_ARRAY.match(text, at, stop)
    if match is None:
        if _is_json_list(text[at:stop]):
            raise DockerfileError(NOT_STRINGS, at)
        return None
    arguments = tuple(
        Argument(_json_value(text[m.start() + 1 : m.end() - 1]), m.start(), m.end())
        for m in _JSON_STRING.finditer(text, at, match.end())
    )
    return arguments, match.end()


def _json_value(raw: str) -> str:
    if "\\" not in raw:
        return raw

    def decode(match: re.Match[str]) -> str:
        return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])

    value = _JSON_ESCAPE.sub(decode, raw)
    # \ud83d\ude00 is one character; a surrogate without its pair becomes U+FFFD, as in Go. Undecodable bytes of the
    # file are lone low surrogates too, but those came unescaped: keep them apart by decoding escapes only.
    if any("\ud800" <= char <= "\udfff" for char in value):
        value = re.sub(
            "[\ud800-\udbff][\udc00-\udfff]", lambda m: m[0].encode("utf-16", "surrogatepass").decode("utf-16"), value
        )
        value = re.sub("[\ud800-\udfff]", "\ufffd", value)
    return value


def _is_json_list(text: str) -> bool:
    """Whether a JSON array begins `text` (Go's grammar: no NaN, no Infinity); only reached for odd input."""
    import json

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.JSONDecoder(parse_constant=refuse).raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def flags(text: str, at: int) -> tuple[tuple[Flag, ...], int]:
    """The `--flags` that begin at `text[at:]`, and the offset where the arguments begin."""
    if not text.isascii():
        return _flags_bytewise(text, at)
    return _flags(text, at)


def _flags_bytewise(text: str, at: int) -> tuple[tuple[Flag, ...], int]:
    # BuildKit walks this part byte by byte: 0x85 and 0xA0 inside a character are blanks to it
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1")
    offsets = [0]
    for char in text:
        offsets.append(offsets[-1] + len(char.encode("utf-8", "surrogateescape")))
    to_char = {byte: index for index, byte in enumerate(offsets)}

    def char_at(byte: int) -> int:
        while byte not in to_char:
            byte += 1
        return to_char[byte]

    result, rest = _flags(raw, offsets[at])
    return tuple(Flag(f.name, f.value, char_at(f.at), char_at(f.stop)) for f in result), char_at(rest)


def _flags(text: str, at: int) -> tuple[tuple[Flag, ...], int]:
    result: list[Flag] = []
    size = len(text)
    while True:
        while at < size and text[at] in GO_SPACE:
            at += 1
        if text[at : at + 2] != "--":
            return tuple(result), at
        begin = at
        word: list[str] = []
        quote = ""
        quoted = False
        while at < size:
            char = text[at]
            if not quote and char in GO_SPACE:
                break
            if not quote and char in "'\"":
                quote, quoted = char, True
            elif quote and char == quote:
                quote = ""
            elif char == "\\":
                at += 1
                word.append(text[at : at + 1])
            else:
                word.append(char)
            at += 1
        at = min(at, size)
        value = "".join(word)
        if value == "--":
            return tuple(result), at
        if value or quoted:
            name, equals, setting = value[2:].partition("=")
            result.append(Flag(name, setting if equals else None, begin, at))


def words(text: str, at: int, stop: int) -> tuple[Argument, ...]:
    """Blank-separated words (FROM, COPY, EXPOSE ...): no quotes, no escapes."""
    return tuple([Argument(m[0], m.start(), m.end()) for m in _WORD.finditer(text, at, stop)])


def quoted_words(text: str, at: int, stop: int, escape: str) -> list[Argument]:
    """Words of ENV, LABEL and ARG: quotes and escapes group, and are kept."""
    words: list[Argument] = []
    if escape not in text and "'" not in text and '"' not in text:
        special = False
    else:
        special = True
    while True:
        while at < stop and text[at] in GO_SPACE:
            at += 1
        if at >= stop:
            return words
        begin = at
        if not special:
            while at < stop and text[at] not in GO_SPACE:
                at += 1
            words.append(Argument(text[begin:at], begin, at))
            continue
        value: list[str] = []
        quote = ""
        while at < stop:
            char = text[at]
            if not quote and char in GO_SPACE:
                break
            if char == escape and quote != "'":
                if at + 1 == stop:  # an escape at the very end is dropped
                    at += 1
                    break
                value.append(char)
                at += 1
                char = text[at]
            elif quote:
                if char == quote:
                    quote = ""
            elif char in "'\"":
                quote = char
            value.append(char)
            at += 1
        if value:
            words.append(Argument("".join(value), begin, at))


def pairs(keyword: str, text: str, at: int, stop: int, escape: str) -> tuple[str, tuple[Pair, ...]]:
    """ENV and LABEL: ("pairs" or "legacy", the pairs). Raises DockerfileError (offset on the joined line)."""
    words = quoted_words(text, at, stop, escape)
    if not words:
        return "none", ()
    if "=" not in words[0].value:
        blank = _BLANKS.search(text, at, stop)
        if blank is None:
            raise DockerfileError(f"{keyword} must have two arguments", at)
        return "legacy", (Pair(text[at : blank.start()], text[blank.end() : stop], at, stop, blank.end()),)
    result: list[Pair] = []
    for word in words:
        name, equals, value = word.value.partition("=")
        if not equals:
            raise DockerfileError(
                f"Syntax error - can't find = in {go_quote(word.value)}. Must be of the form: name=value", word.at
            )
        result.append(Pair(name, value, word.at, word.stop, word.at + len(name) + 1))
    return "pairs", tuple(result)


def arg_pairs(text: str, at: int, stop: int, escape: str) -> tuple[Pair, ...]:
    """ARG: one or several `name` or `name=value`."""
    result: list[Pair] = []
    for word in quoted_words(text, at, stop, escape):
        name, equals, value = word.value.partition("=")
        result.append(Pair(name, value if equals else None, word.at, word.stop, word.at + len(name) + 1))
    return tuple(result)


def first_word(text: str, at: int, stop: int) -> tuple[str, int]:
    """HEALTHCHECK's type, and where its command begins: BuildKit splits here by bytes, so that 0x85 and 0xA0 inside a
    character end the word too."""
    end = at
    while end < stop and text[end] not in _BYTE_SPACE and not _splits(text[end]):
        end += 1
    word = text[at:end]
    while end < stop and text[end] in _BYTE_SPACE:
        end += 1
    return word, end


_BYTE_SPACE = "\t\n\v\f\r \udc85\udca0"


def _splits(char: str) -> bool:
    return char > "\x7f" and not {0x85, 0xA0}.isdisjoint(char.encode("utf-8", "surrogateescape"))


def go_quote(text: str) -> str:
    """A text as Go's %q shows it (only error messages need it, so its module is imported here)."""
    from dfopt.syntax.expand import quote

    return quote(text)


def trim(joined: Joined, at: int) -> tuple[int, int]:
    """`joined.text[at:]` without blanks around it, as offsets."""
    text = joined.text
    stop = len(text.rstrip(GO_SPACE))
    if stop <= at:
        return at, at
    return len(text) - len(text[at:].lstrip(GO_SPACE)), stop
