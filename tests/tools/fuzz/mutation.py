"""Mutations of text: of bytes, lines, words, numbers and brackets, and of the values of JSON documents."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence

LARGEST = 200_000  # bytes of a mutated file
NUMBERS = (
    b"0", b"-1", b"1", b"00", b"1e9", b"1e400", b"0x7f", b"2147483648", b"9223372036854775808", b"1" * 400, b"1" * 5000,
    b"NaN", b"0.0000001", "\u0661\u0662".encode(), "\u00b2".encode(), b"08", b"1_000", b"65536", b"70000",
)  # fmt: skip
CHARACTERS = (
    b"\0", b"\x1b", b"\x1b]0;x\x07", b"\x7f", b"\x80", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\r\n", b"\n",
    b"\x0b", b"\x0c", b"\x1c", b"\x85", "\u0085".encode(), "\u2028".encode(), "\u202e".encode(), "\U0001f433".encode(),
    b"\t", b" ", b"\\", b"\\\n", b"`", b"'", b'"', b"$", b"${", b"$(", b"#", b"::error::", b"##vso[x]", b"%", b"{{", b"}}",
    b"{%", b"<<EOF\n", b"/", b"..", b"~", b"*", b"**", b"!", b"-", b"--", b"@", b":", b"=", b"&&", b"||", b";", b"|",
    b"\xe2\x80\x8b", "\u0130".encode(), "\ufeff".encode(), "\u00a0".encode(), "e\u0301".encode(),
)  # fmt: skip
BRACKETS = (
    (b"(", b")"),
    (b"[", b"]"),
    (b"{", b"}"),
    (b"$(", b")"),
    (b"${A:-", b"}"),
    (b'"', b'"'),
    (b"`", b"`"),
    (b"<a>", b"</a>"),
)
_WORD = re.compile(rb"[A-Za-z0-9_.@:/+=-]+")
_NUMBER = re.compile(rb"\d+")
_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**300, 1.5, float("inf"), float("nan"), "", "\0", "a\0b", "\x1b[2J", "\udcff", "x" * 5000,
    "../../etc/passwd", "/etc/passwd", "*", "${A}", "1", "-", [], {}, [[]], [None], {"": None}, {"a": {"b": []}}, ["x", 1],
)  # fmt: skip


class Mutator:
    """Mutates by a random generator. `words`: what the inputs of a reader are made of; `lines`: their lines."""

    def __init__(self, chance: random.Random, words: Sequence[bytes], lines: Sequence[bytes]) -> None:
        self.chance = chance
        self.words = words or [b"x"]
        self.lines = lines or [b"x\n"]
        self.ways: tuple[tuple[int, Callable[[bytes], bytes]], ...] = (
            (8, self.swap_word), (6, self.other_line), (4, self.insert_character), (3, self.drop_line), (3, self.swap_lines),
            (3, self.repeat_line), (3, self.insert_word), (3, self.change_number), (2, self.flip), (2, self.cut), (2, self.double),
            (2, self.nest), (1, self.truncate), (1, self.newlines), (1, self.many), (1, self.case), (2, self.splice_word),
        )  # fmt: skip

    def text(self, data: bytes) -> bytes:
        """Some mutations, one after the other."""
        for way in self.chance.choices(
            [way for _, way in self.ways], [weight for weight, _ in self.ways], k=self.count()
        ):
            data = way(data)[:LARGEST]
        return data

    def count(self) -> int:
        return self.chance.choice((1, 1, 1, 1, 1, 2, 2, 3, 6))

    def json(self, data: bytes) -> bytes:
        """Changes values and keys of a JSON document; text that is none is mutated as text."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return self.text(data)
        for _ in range(self.count()):
            value = self.value(value)
        try:
            text = json.dumps(value).encode()
        except (ValueError, RecursionError):
            return data
        text = text.replace(b'"DEEP"', b"[" * 3000 + b"]" * 3000) if self.chance.random() < 0.03 else text
        return self.text(text) if self.chance.random() < 0.15 else text

    def value(self, value: object) -> object:
        """The value with one of its parts changed."""
        chance = self.chance
        if isinstance(value, dict) and value and chance.random() < 0.93:
            key = chance.choice(list(value))
            kind = chance.random()
            if kind < 0.7:
                return {**value, key: self.value(value[key])}
            rest = {name: part for name, part in value.items() if name != key}
            if kind < 0.8:
                return rest
            if kind < 0.9:
                return {**rest, self.scalar(): value[key]}
            return {**value, chance.choice(list(value)): value[key]}
        if isinstance(value, list) and value and chance.random() < 0.93:
            index = chance.randrange(len(value))
            kind = chance.random()
            if kind < 0.7:
                return [*value[:index], self.value(value[index]), *value[index + 1 :]]
            if kind < 0.85:
                return value[:index] + value[index + 1 :]
            return [*value, *value[index : index + 1] * chance.choice((1, 2, 50))]
        if isinstance(value, str) and chance.random() < 0.5:
            return self.text(value.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
        return self.scalar() if chance.random() < 0.3 else chance.choice((*VALUES, "DEEP"))

    def scalar(self) -> str:
        return self.chance.choice(self.words).decode("utf-8", "surrogateescape")

    def at(self, data: bytes) -> int:
        return self.chance.randint(0, len(data))

    def split(self, data: bytes) -> list[bytes]:
        return _LINES.findall(data)

    def span(self, pattern: re.Pattern[bytes], data: bytes) -> tuple[int, int] | None:
        found = [match.span() for match in pattern.finditer(data)]
        return self.chance.choice(found) if found else None

    def put(self, data: bytes, pattern: re.Pattern[bytes], new: bytes) -> bytes:
        span = self.span(pattern, data)
        return data + new if span is None else data[: span[0]] + new + data[span[1] :]

    def swap_word(self, data: bytes) -> bytes:
        return self.put(data, _WORD, self.chance.choice(self.words))

    def splice_word(self, data: bytes) -> bytes:
        word = self.chance.choice(self.words)
        other = self.chance.choice(self.words)
        return self.put(data, _WORD, word[: self.at(word)] + other[self.at(other) :])

    def change_number(self, data: bytes) -> bytes:
        return self.put(data, _NUMBER, self.chance.choice(NUMBERS))

    def insert_word(self, data: bytes) -> bytes:
        at = self.at(data)
        return data[:at] + b" " + self.chance.choice(self.words) + b" " + data[at:]

    def insert_character(self, data: bytes) -> bytes:
        at = self.at(data)
        return data[:at] + self.chance.choice(CHARACTERS) * self.chance.choice((1, 1, 1, 2, 3)) + data[at:]

    def flip(self, data: bytes) -> bytes:
        if not data:
            return b"x"
        at = self.chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ (1 << self.chance.randrange(8))]) + data[at + 1 :]

    def cut(self, data: bytes) -> bytes:
        start = self.at(data)
        return data[:start] + data[start + self.chance.choice((1, 1, 2, 5, 20, 100)) :]

    def double(self, data: bytes) -> bytes:
        start = self.at(data)
        piece = data[start : start + self.chance.choice((1, 3, 10, 50, 300))]
        at = self.at(data)
        return data[:at] + piece * self.chance.choice((1, 2, 5, 40)) + data[at:]

    def truncate(self, data: bytes) -> bytes:
        return data[: self.at(data)]

    def drop_line(self, data: bytes) -> bytes:
        lines = self.split(data)
        if lines:
            del lines[self.chance.randrange(len(lines))]
        return b"".join(lines)

    def swap_lines(self, data: bytes) -> bytes:
        lines = self.split(data)
        if len(lines) > 1:
            first, second = self.chance.sample(range(len(lines)), 2)
            lines[first], lines[second] = lines[second], lines[first]
        return b"".join(lines)

    def repeat_line(self, data: bytes) -> bytes:
        lines = self.split(data)
        if lines:
            at = self.chance.randrange(len(lines))
            lines[at] *= self.chance.choice((2, 2, 3, 10, 60))
        return b"".join(lines)

    def other_line(self, data: bytes) -> bytes:
        lines = self.split(data)
        lines.insert(self.chance.randint(0, len(lines)), self.chance.choice(self.lines))
        return b"".join(lines)

    def nest(self, data: bytes) -> bytes:
        opening, closing = self.chance.choice(BRACKETS)
        depth = self.chance.choice((1, 2, 5, 50, 600, 4000))
        span = self.span(_WORD, data) or (0, len(data))
        inside = data[span[0] : span[1]]
        return (
            data[: span[0]]
            + opening * depth
            + inside
            + closing * self.chance.choice((depth, depth, 0))
            + data[span[1] :]
        )

    def many(self, data: bytes) -> bytes:
        word = self.chance.choice((*self.words, *CHARACTERS))
        at = self.at(data)
        return (
            data[:at]
            + (word + self.chance.choice((b"", b" ", b",", b"/"))) * self.chance.choice((100, 1000, 3000))
            + data[at:]
        )

    def newlines(self, data: bytes) -> bytes:
        return self.chance.choice(
            (data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), data.rstrip(b"\n"), b"\xef\xbb\xbf" + data)
        )

    def case(self, data: bytes) -> bytes:
        return self.chance.choice((data.upper(), data.lower(), data.swapcase()))
