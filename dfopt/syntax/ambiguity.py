"""How the work of a regular expression can grow, from its form alone: an automaton of its characters, and loops in it
that read the same text in several ways.

Weber and Seidl, On the degree of ambiguity of finite automata (1991): matching that backtracks takes exponential time
where a state returns to itself in two ways by one word, and at least the square where one word leads from a loop to
itself, from that loop to another, and from that to itself. To search is a loop in front of the whole expression.

It may be called worse than it is: of assertions inside of an expression only the work in them is judged, and not what
they refuse.
"""

from __future__ import annotations

import importlib
import re
import sys

from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Firsts: TypeAlias = dict[int, int]  # position -> the characters one of which must stand before it (ALL: any)

# the parser of `re`, which has no public name since Python 3.11
_parser = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

SMALL = 8  # a repeat of at most so many is written out
ALPHABET = "".join(map(chr, range(128))) + "é“”″µμ\u2028\xa0"
ALL = (1 << len(ALPHABET)) - 1
WAYS = 10_000  # of an expression that is judged within a limit
LOOPS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def _mask(pattern: str) -> int:
    return sum(1 << index for index, char in enumerate(ALPHABET) if re.match(pattern, char, re.S))


WORD, NEWLINE = _mask(r"\w"), _mask(r"\n")
ANY = -2  # for `_closure`: no loop must be stayed in
_USUAL = [ALPHABET.index(char) for char in "a 0-/\n"]


class TooLargeError(Exception):
    """What is asked for takes more than the limit that was given."""


class ExpressionPart(Record):
    """Of a part of the expression: whether it matches the empty text, which characters must stand before that, and
    whether a boundary of a word must be there; the positions that it starts and ends with."""

    empty: int
    first: Firsts
    last: frozenset[int]
    boundary: bool = False


class PositionAutomaton:
    """The positions of an expression: the characters that each reads, and the positions that may follow it; `twice`:
    pairs of which the second follows the first in several ways. `counted`: whether repeats of limited number, of more
    than SMALL, are loops, as they are when an exponent is feared, or two copies."""

    def __init__(self, source: str | bytes, flags: int, counted: bool, most: int | None) -> None:
        self.left = most
        self.ways = 1
        self.reads: list[int] = []
        self.follow: list[set[int]] = []
        self.twice: set[tuple[int, int]] = set()
        self.counted = counted
        self.empty_ways = 0  # alternatives that match the empty text beside others that do
        tree = _parser.parse(source, flags)
        self.flags = tree.state.flags | flags
        self.anchored = str(tree[0][1]) in ("AT_BEGINNING_STRING", "AT_BEGINNING") if len(tree) else False
        if self.anchored and str(tree[0][1]) == "AT_BEGINNING" and self.flags & re.M:
            self.anchored = False
        self.whole = self._sequence(tree)
        self.ends = set(self.whole.last)
        self.own = len(self.reads)  # positions from here on are those of a search

    def search(self) -> None:
        """Adds the loop in front of the expression that a search is."""
        if self.anchored:
            return
        any_char = self._position(ALL)
        self.follow[any_char].add(any_char)
        for position, before in self.whole.first.items():
            if before == ALL:
                self.follow[any_char].add(position)
            else:
                entry = self._position(before)
                self.follow[any_char].add(entry)
                self.follow[entry].add(position)

    def spend(self, count: int = 1) -> None:
        if self.left is not None:
            self.left -= count
            if self.left < 0:
                raise TooLargeError

    def _position(self, reads: int) -> int:
        self.spend(100)
        self.reads.append(reads)
        self.follow.append(set())
        return len(self.reads) - 1

    def _follows(self, last: frozenset[int], first: Firsts) -> None:
        for position in last:
            self.twice |= {(position, after) for after in first if after in self.follow[position]}
            self.follow[position].update(first)

    def _char(self, reads: int) -> ExpressionPart:
        position = self._position(reads)
        return ExpressionPart(0, {position: ALL}, frozenset((position,)))

    def _sequence(self, tree: Any) -> ExpressionPart:
        whole = ExpressionPart(ALL, {}, frozenset())
        items = list(tree)
        for index, (kind, value) in enumerate(items):
            at_end = all(str(kind) in ("AT", "ASSERT", "ASSERT_NOT") for kind, _ in items[index:])
            whole = self._joined(whole, self._item(str(kind), value, at_end and index > 0))
        return whole

    def _joined(self, left: ExpressionPart, right: ExpressionPart) -> ExpressionPart:
        self._follows(left.last, right.first)
        first = dict(left.first)
        if left.empty:
            for position, before in right.first.items():
                before &= left.empty & (self._beside(position) if left.boundary else ALL)
                if before:
                    first[position] = before
        last = right.last | (left.last if right.empty else frozenset())
        return ExpressionPart(left.empty & right.empty, first, last, left.boundary or right.boundary)

    def _beside(self, position: int) -> int:
        """What may stand before the boundary of a word that a position begins, or that it follows."""
        reads = self.reads[position]
        return ALL & ~WORD if not reads & ~WORD else WORD if not reads & WORD else ALL

    def _item(self, kind: str, value: Any, at_end: bool) -> ExpressionPart:
        if kind == "LITERAL":
            return self._char(self._literal(value))
        if kind == "NOT_LITERAL":
            return self._char(ALL & ~self._literal(value))
        if kind == "ANY":
            return self._char(ALL if self.flags & re.S else ALL & ~NEWLINE)
        if kind == "IN":
            return self._char(self._class(value))
        if kind == "SUBPATTERN":
            return self._sequence(value[3])
        if kind == "ATOMIC_GROUP":
            return self._sequence(value)
        if kind == "BRANCH":
            return self._either([self._sequence(branch) for branch in value[1]])
        if kind in LOOPS:
            return self._repeat(*value)
        if kind == "GROUPREF_EXISTS":
            branches = [self._sequence(branch) for branch in value[1:] if branch is not None]
            return self._either([*branches, ExpressionPart(ALL, {}, frozenset())])
        body = self._sequence(value[1]) if kind != "AT" and kind != "GROUPREF" and value[0] > 0 else None
        first = body.first if body is not None else {}
        if at_end:  # what stands at the end may refuse: no position before it is the last
            refusal = self._char(0)
            return ExpressionPart(0, {**first, **refusal.first}, refusal.last)
        return ExpressionPart(self._before(kind, value), first, frozenset(), str(value) == "AT_BOUNDARY")

    def _repeat(self, least: int, most: Any, body: Any) -> ExpressionPart:
        limited = most is not _parser.MAXREPEAT
        if limited:
            self._choose(most - least + 1)
        if limited and (most <= SMALL or not self.counted):
            whole = ExpressionPart(ALL, {}, frozenset())
            for number in range(min(most, SMALL) if most <= SMALL else 2):
                part = self._sequence(body)
                whole = self._joined(whole, part if number < least else replace(part, empty=ALL, boundary=False))
            return whole
        ways = self.empty_ways
        part = self._sequence(body)
        self._follows(part.last, part.first)
        if self.empty_ways > ways:
            self.twice |= {(position, after) for position in part.last for after in part.first}
        return part if least else replace(part, empty=ALL, boundary=False)

    def _choose(self, ways: int) -> None:
        """Ways in which a part that is no loop may match: they multiply, whatever the text."""
        self.ways *= ways
        if self.left is not None and self.ways > WAYS:
            raise TooLargeError

    def _either(self, parts: list[ExpressionPart]) -> ExpressionPart:
        self._choose(len(parts))
        empty = 0
        first: Firsts = {}
        last = frozenset[int]()
        for part in parts:
            self.empty_ways += bool(part.empty and empty)
            empty |= part.empty
            first.update(part.first)
            last |= part.last
        return ExpressionPart(empty, first, last, all(part.boundary for part in parts if part.empty))

    def _before(self, kind: str, value: Any) -> int:
        """The characters one of which must stand where an assertion is."""
        name = str(value)
        if kind == "AT":
            if name == "AT_BEGINNING" and self.flags & re.M:
                return NEWLINE
            return ALL
        if kind in ("ASSERT", "ASSERT_NOT") and value[0] < 0 and len(value[1]) == 1:
            (inner, argument), mask = value[1][0], None
            if str(inner) == "IN":
                mask = self._class(argument)
            elif str(inner) == "LITERAL":
                mask = self._literal(argument)
            if mask is not None:
                return mask if kind == "ASSERT" else ALL & ~mask
        return ALL

    def _literal(self, code: int) -> int:
        char = chr(code)
        chars = {char, char.swapcase()} if self.flags & re.I else {char}
        return sum(1 << ALPHABET.index(char) for char in chars if char in ALPHABET)

    def _class(self, items: Any) -> int:
        mask, negated = 0, False
        for kind, value in items:
            name = str(kind)
            if name == "NEGATE":
                negated = True
            elif name == "LITERAL":
                mask |= self._literal(value)
            elif name == "RANGE":
                for code in range(value[0], min(value[1], 0x3000) + 1):
                    mask |= self._literal(code)
            else:
                letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[str(value).rpartition("_")[2]]
                mask |= _mask("\\" + (letter.upper() if "_NOT_" in str(value) else letter))
        return ALL & ~mask if negated else mask


def _components(follow: list[set[int]]) -> list[int]:
    """For each position the number of its loop: positions of one number reach each other; -1: it is in none."""
    reach = [set(after) for after in follow]
    changed = True
    while changed:
        changed = False
        for own in reach:
            more = set().union(*(reach[position] for position in own)) - own if own else set()
            if more:
                own |= more
                changed = True
    number = [-1] * len(follow)
    for position in range(len(follow)):
        if position in reach[position]:
            number[position] = min(other for other in reach[position] if position in reach[other])
    return number


def growth(source: str | bytes, flags: int, method: str, most: int | None = None) -> tuple[str, str, str]:
    """How the work of a method of `re` grows with the text: "" for linear, "square" (or a higher power) or
    "exponential"; and the texts that show it: what stands in front, and what is repeated. `most`: the steps that this
    may take. Raises TooLargeError and, for what is no expression, re.error."""
    automaton = PositionAutomaton(source, int(flags), True, most)
    if found := _exponential(automaton, method):
        return ("exponential", *found)
    automaton = PositionAutomaton(source, int(flags), False, automaton.left)
    if method not in ("match", "fullmatch"):
        automaton.search()
    if found := _square(automaton, method):
        return ("square", *found)
    return "", "", ""


def _exponential(automaton: PositionAutomaton, method: str) -> tuple[str, str] | None:
    automaton.spend(len(automaton.reads) ** 2)
    loop = _components(automaton.follow)
    safe = {loop[position] for position in automaton.ends} if method != "fullmatch" else set()
    for number in sorted({number for number in loop if number >= 0} - safe):
        stay = (number, number)
        for one, other in sorted(automaton.twice):
            if loop[one] == loop[other] == number:
                text = _chosen(automaton.reads[other]) + _closure(automaton, (other,), (number,), loop).get((one,), "")
                return _head(automaton, one), text + _chosen(automaton.reads[other])
        start = loop.index(number)
        for pair, text in _closure(automaton, (start, start), stay, loop).items():
            if pair[0] != pair[1]:
                back = _closure(automaton, pair, stay, loop).get((start, start))
                if back is not None:
                    return _head(automaton, start), text + back
    return None


def _square(automaton: PositionAutomaton, method: str) -> tuple[str, str] | None:
    reads = automaton.reads
    loop = _components(automaton.follow)
    # where the match may end in a loop, it does, and nothing is tried again
    ends = automaton.ends if method != "fullmatch" else set()
    looped = [position for position, number in enumerate(loop) if number >= 0 and position not in ends]
    for one in looped:
        for other in looped:
            if loop[one] == loop[other] or not reads[one] & reads[other]:
                continue
            stay = (loop[one], ANY, loop[other])
            text = _closure(automaton, (one, one, other), stay, loop).get((one, other, other))
            if text is not None:
                return _head(automaton, one), text
    return None


def _head(automaton: PositionAutomaton, position: int) -> str:
    """A text that leads to a position, "" for the loop of a search."""
    starts = list(automaton.whole.first)
    if position in starts or position >= automaton.own:
        return "" if position >= automaton.own else _chosen(automaton.reads[position])
    for start in starts:
        text = _closure(automaton, (start,), (ANY,), [-1] * len(automaton.reads)).get((position,))
        if text is not None:
            return _chosen(automaton.reads[start]) + text
    return ""


def _chosen(mask: int) -> str:
    """A character of a set, rather one that is written often."""
    index = next((index for index in _USUAL if mask >> index & 1), None)
    return ALPHABET[index] if index is not None else next(c for i, c in enumerate(ALPHABET) if mask >> i & 1)


def _closure(
    automaton: PositionAutomaton, start: tuple[int, ...], stay: tuple[int, ...], loop: list[int]
) -> dict[tuple[int, ...], str]:
    """What several states reach by the same word, and the shortest such word; `stay`: the loop that each must stay in,
    or ANY."""
    seen: dict[tuple[int, ...], str] = {}
    todo = [(start, "")]
    for states, text in todo:
        automaton.spend(len(automaton.follow[states[0]]))
        found: list[tuple[tuple[int, ...], int]] = [((), ALL)]
        for state, inside in zip(states, stay, strict=True):
            found = [
                ((*before, after), common & automaton.reads[after])
                for before, common in found
                for after in automaton.follow[state]
                if common & automaton.reads[after] and inside in (ANY, loop[after])
            ]
        for made, common in found:
            if made not in seen:
                seen[made] = text + _chosen(common)
                todo.append((made, seen[made]))
    return seen
