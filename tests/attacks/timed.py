"""How long expressions take on texts that a bad one is slow on."""

from __future__ import annotations

import random
import re
import time
import warnings
from typing import TYPE_CHECKING, Any

from dfopt.syntax import ambiguity

if TYPE_CHECKING:
    from collections.abc import Iterator

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_parse  # the parser of `re`; its newer name is private

_CHARACTERS = " a0-/.=\"'\\\n,A:_$(<[#@&|;{*x!%+~]})>?\t"
_LOOPS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_GAPS = ("", " ", "\n", "-", "/", ";", ".", '"')
_TAILS = ("\0", "!", "\n\0")


def slow_texts(source: str, flags: int) -> list[tuple[str, str, str]]:
    """(head, repeated part, tail) of texts that may be slow to match: the tail lets the match fail late."""
    compiled = re.compile(source, flags)
    chance = random.Random(repr(source))
    result: dict[tuple[str, str, str], None] = {}
    for before, body in _loops(sre_parse.parse(source, flags), ""):
        pumps = {_example(body, compiled.flags, chance) for _ in range(4)}
        for pump in sorted(pump for pump in pumps if pump):
            for tail in ("\0", "!"):
                result[before, pump, tail] = None
    return list(result)


def _loops(tree: Any, before: str) -> Iterator[tuple[str, Any]]:
    """The loops of an expression: an example of what stands in front of each, and its body."""
    chance = random.Random(1)
    for kind, value in tree:
        name = str(kind)
        if name in _LOOPS:
            _, most, body = value
            if most is sre_parse.MAXREPEAT or most > 8:
                yield before, body
            yield from _loops(body, before)
        elif name == "BRANCH":
            for branch in value[1]:
                yield from _loops(branch, before)
        elif name == "SUBPATTERN":
            yield from _loops(value[3], before)
        elif name == "ATOMIC_GROUP":
            yield from _loops(value, before)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _loops(value[1], before)
        before += _example([(kind, value)], 0, chance)


def _example(tree: Any, flags: int, chance: random.Random) -> str:
    """A text that (but for assertions) an expression matches."""
    out = ""
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            out += chr(value)
        elif name in ("IN", "ANY", "NOT_LITERAL"):
            fitting = [char for char in _CHARACTERS if _fits(name, value, char, flags)]
            out += chance.choice(fitting) if fitting else "a"
        elif name in _LOOPS:
            least, most, body = value
            for _ in range(max(least, min(most, chance.randint(0, 1)))):
                out += _example(body, flags, chance)
        elif name == "BRANCH":
            out += _example(chance.choice(value[1]), flags, chance)
        elif name == "SUBPATTERN":
            out += _example(value[3], flags, chance)
        elif name == "ATOMIC_GROUP":
            out += _example(value, flags, chance)
    return out


def _fits(name: str, value: Any, char: str, flags: int) -> bool:
    if name == "ANY":
        return char != "\n" or bool(flags & re.DOTALL)
    if name == "NOT_LITERAL":
        return bool(ord(char) != value)
    negated = str(value[0][0]) == "NEGATE"
    inside = False
    for kind, part in value[negated:]:
        if str(kind) == "LITERAL":
            inside |= ord(char) == part
        elif str(kind) == "RANGE":
            inside |= part[0] <= ord(char) <= part[1]
        else:
            word = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(part).rpartition("_")[2]]
            inside |= (re.match(word, char) is not None) != ("_NOT_" in str(part))
    return inside != bool(negated)


def _seconds(compiled: Any, text: Any) -> float:
    start = time.process_time()
    for _match in compiled.finditer(text):
        pass
    return time.process_time() - start


def growth(source: str | bytes, flags: int) -> tuple[float, tuple[str, str, str]]:
    """How many times as long the slowest of the texts takes when it is four times as long (16 is a square's growth, 64
    a cube's), and that text; 1.0 where all of some hundred characters are quick."""
    compiled: Any = re.compile(source, flags)
    worst: tuple[float, tuple[str, str, str]] = (1.0, ("", "", ""))
    for head, pump, tail in slow_texts(source if isinstance(source, str) else source.decode("latin-1"), int(flags)):

        def text(count: int, parts: tuple[str, str, str] = (head, pump, tail)) -> Any:
            made = parts[0] + parts[1] * count + parts[2]
            return made if isinstance(source, str) else made.encode("latin-1", "replace")

        for count in (16, 24, 32, max(40, 300 // len(pump))):
            if (seconds := _seconds(compiled, text(count))) > 0.01:
                seconds = min(seconds, _seconds(compiled, text(count)))
                quarter = min(_seconds(compiled, text(count // 4)) for _ in range(5))
                worst = max(worst, (seconds / max(quarter, 1e-7), (head, pump, tail)))
                break
    return worst


def square_text(source: str | bytes, flags: int, method: str) -> str:
    """A text that shows that a method takes the square of the text's length, or more: what is repeated in it; "" where
    it does not. The automaton says which texts to try."""
    degree, head, pump = ambiguity.growth(source, flags, method)
    if not degree:
        return ""
    run = getattr(re.compile(source, flags), method if method in ("match", "fullmatch") else "finditer")

    def seconds(length: int, unit: str, tail: str) -> float:
        text: Any = head + unit * (length // len(unit)) + tail
        if isinstance(source, bytes):
            text = text.encode("latin-1", "replace")
        start = time.process_time()
        found = run(text)
        if method not in ("match", "fullmatch"):
            for _match in found:
                pass
        return time.process_time() - start

    for gap in _GAPS:
        for unit in (pump + gap, pump[:-1] + gap) if gap else (pump,):
            for tail in _TAILS if unit else ():
                if seconds(8000, unit, tail) > 0.002 and all(
                    seconds(8000, unit, tail) > 8 * max(seconds(2000, unit, tail), 1e-5) for _ in "123"
                ):
                    return unit
    return ""
