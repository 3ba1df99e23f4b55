"""Patterns of foreign text, matched in time linear in the text.

A nondeterministic automaton runs on all of its states at once (Thompson, "Regular expression search algorithm", 1968),
so that no pattern can make it backtrack. A pattern is built of nodes: `char`, `sequence`, `either`, `repeat` and `at`.
One whose cost cannot exceed the square of a path's length is left to `re`, which is faster on what people write.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Node = tuple[Any, ...]

ANY, NOT_SLASH = ("char", r"[\s\S]"), ("char", "[^/]")
_PASSED_TO_RE = 2  # loops of a pattern that `re` may run: with three it takes the cube of the text's length
_LARGEST = 20_000  # instructions of one automaton
_REMEMBERED = 2_000  # transitions kept of one automaton


class TooLarge(ValueError):
    """A pattern whose counted repeats make it too large to match."""


def char(accepted: str) -> Node:
    """One character. `accepted`: the regular expression of one, such as "[^/]"."""
    return "char", accepted


def literal(text: str) -> Node:
    """Exactly `text`."""
    return sequence(char(re.escape(one)) for one in text)


def sequence(nodes: Iterable[Node]) -> Node:
    return "sequence", tuple(nodes)


def either(nodes: Iterable[Node]) -> Node:
    return "either", tuple(nodes)


def repeat(node: Node, least: int, most: int | None) -> Node:
    return "repeat", node, least, most


def at(place: str) -> Node:
    """A place: "A" the start, "Z" the end, "b" a word's boundary, "B" none."""
    return "at", place


def optional(node: Node) -> Node:
    return repeat(node, 0, 1)


def any_number(node: Node) -> Node:
    return repeat(node, 0, None)


class LinearPattern:
    """A compiled pattern."""

    __slots__ = ("_automaton", "_node", "_re")

    def __init__(self, node: Node) -> None:
        """Raises TooLarge."""
        self._node = node
        self._automaton: _Automaton | None = None
        self._re: re.Pattern[str] | None = None
        if _loops(node) <= _PASSED_TO_RE:
            self._re = re.compile(_expression(node), re.ASCII)
        else:
            self._automaton = _Automaton(node)

    def fullmatch(self, text: str) -> bool:
        if self._re is not None:
            return self._re.fullmatch(text) is not None
        assert self._automaton is not None
        return self._automaton.run(text, anywhere=False)

    def search(self, text: str) -> bool:
        if self._re is not None:
            return self._re.search(text) is not None
        assert self._automaton is not None
        return self._automaton.run(text, anywhere=True)

    def __repr__(self) -> str:
        return f"LinearPattern({_expression(self._node)})"


def _loops(node: Node) -> int:
    """How many repeats of the pattern may be given back when it backtracks; a loop inside a loop: too many."""
    if node[0] in ("char", "at"):
        return 0
    if node[0] != "repeat":
        return sum(map(_loops, node[1]))
    inner = _loops(node[1])
    if node[3] == 1:
        return inner
    return _PASSED_TO_RE + 1 if inner or node[2] > 1 or node[1][0] != "char" else 1


def _expression(node: Node) -> str:
    kind = node[0]
    if kind == "char":
        return str(node[1])
    if kind == "at":
        return rf"\{node[1]}"
    if kind == "repeat":
        counted = f"{{{node[2]},{'' if node[3] is None else node[3]}}}"
        return f"(?:{_expression(node[1])}){ {(0, None): '*', (0, 1): '?', (1, None): '+'}.get(node[2:], counted) }"
    parts = map(_expression, node[1])
    return "".join(parts) if kind == "sequence" else f"(?:{'|'.join(parts)})"


class _Automaton:
    """`code`: instructions ("char", test), ("at", place), ("split", target, target), ("match",); sets of states are
    integers, a bit for each instruction."""

    __slots__ = ("_seen", "_tests", "code")

    def __init__(self, node: Node) -> None:
        self.code: list[tuple[Any, ...]] = []
        self._tests: dict[str, re.Pattern[str]] = {}
        self._seen: dict[tuple[int, int, str, bool], tuple[bool, int]] = {}
        self._add(node)
        self.code.append(("match",))

    def _add(self, node: Node) -> None:
        code = self.code
        if len(code) > _LARGEST:
            raise TooLarge("the pattern is too large")
        kind = node[0]
        if kind == "sequence":
            for part in node[1]:
                self._add(part)
        elif kind == "char":
            test = self._tests.get(node[1]) or self._tests.setdefault(node[1], re.compile(node[1], re.ASCII))
            code.append(("char", test))
        elif kind == "at":
            code.append(node)
        elif kind == "either":
            ends = []
            for part in node[1][:-1]:
                split = len(code)
                code.append(("split", split + 1, split + 1))
                self._add(part)
                ends.append(len(code))
                code.append(("split", 0, 0))
                code[split] = ("split", split + 1, len(code))
            self._add(node[1][-1])
            for end in ends:
                code[end] = ("split", len(code), len(code))
        else:
            self._repeat(*node[1:])

    def _repeat(self, node: Node, least: int, most: int | None) -> None:
        code = self.code
        for _ in range(least):
            self._add(node)
        if most is None:
            split = len(code)
            code.append(("split", 0, 0))
            self._add(node)
            code.append(("split", split, split))
            code[split] = ("split", split + 1, len(code))
            return
        splits = []
        for _ in range(most - least):
            splits.append(len(code))
            code.append(("split", 0, 0))
            self._add(node)
        for split in splits:
            code[split] = ("split", split + 1, len(code))

    def run(self, text: str, *, anywhere: bool) -> bool:
        """Whether the pattern matches all of the text, or with `anywhere` a part of it."""
        states, before = 1, 0  # before: 0 nothing, 1 no character of a word, 2 one
        seen = self._seen
        for character in (*text, ""):
            key = states, before, character, anywhere
            step = seen.get(key)
            if step is None:
                if len(seen) >= _REMEMBERED:
                    seen.clear()
                step = seen[key] = self._step(states, before, character)
            matched, states = step
            if matched and (anywhere or not character):
                return True
            if anywhere:
                states |= 1
            elif not states:
                return False
            before = 2 if _in_word(character) else 1
        return False

    def _step(self, states: int, before: int, character: str) -> tuple[bool, int]:
        """Whether a match ends before `character` ("": the text's end), and the states behind it."""
        code, following, matched = self.code, 0, False
        boundary = (before == 2) != _in_word(character)
        holds = {"A": before == 0, "Z": not character, "b": boundary, "B": not boundary}
        reached = 0
        waiting = []
        while states:
            low = states & -states
            waiting.append(low.bit_length() - 1)
            states ^= low
        while waiting:
            state = waiting.pop()
            if reached >> state & 1:
                continue
            reached |= 1 << state
            instruction = code[state]
            if instruction[0] == "char":
                if character and instruction[1].fullmatch(character):
                    following |= 1 << (state + 1)
            elif instruction[0] == "split":
                waiting += instruction[1:]
            elif instruction[0] == "match":
                matched = True
            elif holds[instruction[1]]:
                waiting.append(state + 1)
        return matched, following


def _in_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
