"""Edits of a text, their composition over several rounds, and unified diffs.

This is the only module that changes text. An `Edit` names a span of the text it was made for; nothing shifts offsets by
hand. `Patchwork` keeps, through any number of rounds, which characters are still the original's and which pass wrote or
deleted the others: that is where the hunks of the final diff get their authors from.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Edit(Record):
    """Replace `text[start:end]` by `text`. `start == end` inserts."""

    start: int
    end: int
    text: str


class OverlapError(ValueError):
    """Two edits of one set touch the same place, or a span is inverted."""


def ordered(edits: Iterable[Edit]) -> list[Edit]:
    """The edits by position. Raises OverlapError when two share a character or insert at the same offset."""
    result = sorted(edits, key=lambda edit: (edit.start, edit.end))
    last = -1
    for edit in result:
        if edit.start > edit.end or edit.start < last or (edit.start == edit.end == last):
            raise OverlapError(f"edit {edit.start}:{edit.end} overlaps the one before it")
        last = edit.end
    return result


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all edits made at once. Raises OverlapError."""
    pieces: list[str] = []
    at = 0
    for edit in ordered(edits):
        if edit.end > len(text):
            raise OverlapError(f"edit {edit.start}:{edit.end} lies outside the text")
        pieces.append(text[at : edit.start])
        pieces.append(edit.text)
        at = edit.end
    pieces.append(text[at:])
    return "".join(pieces)


def touching(one: Sequence[Edit], other: Sequence[Edit]) -> bool:
    """Whether two sets of edits share a character or meet at an offset: then they cannot go into one round."""
    return any(a.start <= b.end and b.start <= a.end for a in one for b in other)


class Piece(Record):
    """A stretch of the current text: the original's `start:end` (`authors` empty) or inserted `text`.

    A deletion leaves an empty inserted piece behind, so that its author is not forgotten. The original span of an
    inserted piece is what it replaced.
    """

    start: int
    end: int
    text: str | None
    authors: frozenset[int]

    @property
    def width(self) -> int:
        return self.end - self.start if self.text is None else len(self.text)


class Change(Record):
    """A maximal changed stretch: `original[start:end]` became `text`, by the authors (numbers given to `apply`)."""

    start: int
    end: int
    text: str
    authors: frozenset[int]

    @property
    def edit(self) -> Edit:
        """The change as an edit of the original."""
        return Edit(self.start, self.end, self.text)


class Patchwork:
    """The current text as pieces of the original and of what was written since."""

    __slots__ = ("_starts", "original", "pieces", "text")

    def __init__(self, original: str) -> None:
        self.original = original
        self.text = original
        self.pieces: list[Piece] = [Piece(0, len(original), None, frozenset())]
        self._starts: list[int] | None = None

    def apply(self, edits: Iterable[tuple[Edit, int]]) -> None:
        """Makes edits (spans of the *current* text), each with its author's number. Raises OverlapError."""
        authors = {(edit.start, edit.end): author for edit, author in edits}
        result: list[Piece] = []
        queue = ordered([edit for edit, _ in edits])
        self.text = apply_edits(self.text, queue)
        pieces = self.pieces
        index = 0
        at = 0  # offset of pieces[index] in the current text
        rest: Piece | None = pieces[0] if pieces else None

        def take(until: int) -> list[Piece]:
            nonlocal index, at, rest
            taken: list[Piece] = []
            while rest is not None and (at + rest.width <= until):
                if at == until and rest.width == 0 and not taken:
                    break
                taken.append(rest)
                at += rest.width
                index += 1
                rest = pieces[index] if index < len(pieces) else None
            if rest is not None and at < until:
                cut = until - at
                if rest.text is None:
                    taken.append(Piece(rest.start, rest.start + cut, None, rest.authors))
                    rest = Piece(rest.start + cut, rest.end, None, rest.authors)
                else:
                    taken.append(Piece(rest.start, rest.end, rest.text[:cut], rest.authors))
                    rest = Piece(rest.end, rest.end, rest.text[cut:], rest.authors)
                at = until
            return taken

        for edit in queue:
            result += take(edit.start)
            gone = take(edit.end)
            author = frozenset([authors[edit.start, edit.end]]).union(*[piece.authors for piece in gone])
            if gone:
                start, end = gone[0].start, gone[-1].end
            else:
                start = end = rest.start if rest is not None else len(self.original)
                if result and rest is None:
                    start = end = result[-1].end
            result.append(Piece(start, end, edit.text, author))
        while rest is not None:
            result.append(rest)
            index += 1
            rest = pieces[index] if index < len(pieces) else None
        self.pieces = [piece for piece in result if piece.width or piece.authors]
        self._starts = None

    def original_offset(self, offset: int) -> int:
        """Where in the original the current text's `offset` came from (the place of the change, for new text)."""
        starts = self.starts()
        at = bisect_right(starts, offset) - 1
        if at >= len(self.pieces):
            return len(self.original)
        piece = self.pieces[at]
        return piece.start + (offset - starts[at] if piece.text is None else 0)

    def is_written(self, start: int, end: int) -> bool:
        """Whether the current text's `start:end` holds nothing of the original."""
        starts = self.starts()
        stop = max(end, start + 1)
        for at in range(bisect_right(starts, start) - 1, len(self.pieces)):
            if starts[at] >= stop:
                break
            if self.pieces[at].text is None and start < starts[at + 1]:
                return False
        return start < starts[-1]

    def starts(self) -> list[int]:
        """The offset of each piece in the current text, and the end."""
        if self._starts is None:
            self._starts = list(accumulate([piece.width for piece in self.pieces], initial=0))
        return self._starts

    def changes(self) -> list[Change]:
        """What differs from the original, in order; adjacent changed pieces are one change."""
        result: list[Change] = []
        for piece in self.pieces:
            if piece.text is None:
                continue
            if result and result[-1].end == piece.start and self._adjacent(result[-1], piece):
                last = result.pop()
                result.append(Change(last.start, max(last.end, piece.end), last.text + piece.text,
                                     last.authors | piece.authors))  # fmt: skip
            else:
                result.append(Change(piece.start, piece.end, piece.text, piece.authors))
        return [c for c in result if self.original[c.start : c.end] != c.text]

    @staticmethod
    def _adjacent(last: Change, piece: Piece) -> bool:
        return last.end == piece.start


class Hunk(Record):
    """One hunk of a unified diff, on lines of the original (from 0, half-open) and its new lines (with newlines)."""

    start: int
    end: int
    lines: tuple[str, ...]
    authors: frozenset[int]


def split_lines(text: str) -> list[str]:
    """Lines with their newlines; "\\n" alone ends a line."""
    lines = text.split("\n")
    result = [line + "\n" for line in lines[:-1]]
    if lines[-1]:
        result.append(lines[-1])
    return result


def hunks(original: str, changes: Sequence[Change], context: int = 3) -> list[tuple[Hunk, ...]]:
    """Changes as line hunks; those nearer than twice the context are grouped into one printed hunk."""
    from dfopt.source import LineIndex

    index = LineIndex(original)
    lines = split_lines(original)
    starts = [*index.starts[: len(lines)], len(original)]
    blocks: list[Hunk] = []
    at = 0
    while at < len(changes):
        first = index.line(changes[at].start)
        last = first
        members: list[Change] = []
        while at < len(changes) and (not members or index.line(changes[at].start) <= last):
            change = changes[at]
            members.append(change)
            last = max(last, index.line(max(change.end, change.start)))
            at += 1
        first, stop = min(first, len(lines)), min(last + 1, len(lines))
        begin = starts[first]
        new = apply_edits(original[begin : starts[stop]],
                          [Edit(c.start - begin, c.end - begin, c.text) for c in members])  # fmt: skip
        authors = frozenset().union(*[c.authors for c in members])
        old_lines, new_lines = lines[first:stop], split_lines(new)
        head = 0
        while head < min(len(old_lines), len(new_lines)) and old_lines[head] == new_lines[head]:
            head += 1
        tail = 0
        while tail < min(len(old_lines), len(new_lines)) - head and old_lines[-1 - tail] == new_lines[-1 - tail]:
            tail += 1
        blocks.append(Hunk(first + head, stop - tail, tuple(new_lines[head : len(new_lines) - tail]), authors))
    neighbours: list[list[Hunk]] = []
    for block in blocks:
        if neighbours and neighbours[-1][-1].end == block.start:
            neighbours[-1].append(block)
        else:
            neighbours.append([block])
    merged = [  # old lines first, then new ones, as diff shows them
        Hunk(run[0].start, run[-1].end, tuple([line for block in run for line in block.lines]),
             frozenset().union(*[block.authors for block in run]))
        for run in neighbours
    ]  # fmt: skip
    groups: list[list[Hunk]] = []
    for block in merged:
        if groups and block.start - groups[-1][-1].end <= 2 * context:
            groups[-1].append(block)
        else:
            groups.append([block])
    return [tuple(group) for group in groups]


def unified_diff(original: str, changes: Sequence[Change], name: str, labels: Sequence[str], context: int = 3) -> str:
    """A unified diff that `git apply` and `patch -p1` take: `a/` and `b/` prefixes, each hunk's authors (through
    `labels`) behind its second `@@`, a missing final newline marked as diff does. Empty where nothing changed."""
    groups = hunks(original, changes, context)
    if not groups:
        return ""
    lines = split_lines(original)
    out = [f"--- {_quoted('a/' + name)}\n", f"+++ {_quoted('b/' + name)}\n"]
    shift = 0
    for group in groups:
        first = max(0, group[0].start - context)
        stop = min(len(lines), group[-1].end + context)
        body: list[str] = []
        at = first
        grown = 0
        for block in group:
            body += [_line(" ", line) for line in lines[at : block.start]]
            body += [_line("-", line) for line in lines[block.start : block.end]]
            body += [_line("+", line) for line in block.lines]
            grown += len(block.lines) - (block.end - block.start)
            at = block.end
        body += [_line(" ", line) for line in lines[at:stop]]
        old, new = stop - first, stop - first + grown
        authors = sorted(frozenset().union(*[block.authors for block in group]))
        title = ", ".join(dict.fromkeys(labels[author] for author in authors))
        out.append(f"@@ -{_range(first, old)} +{_range(first + shift, new)} @@{' ' + title if title else ''}\n")
        out += body
        shift += grown
    return "".join(out)


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(start: int, count: int) -> str:
    first = start + 1 if count else start
    return f"{first}" if count == 1 else f"{first},{count}"


def _quoted(name: str) -> str:
    """A path as git writes it in a diff header: C-quoted where it holds a quote, a backslash or a control character."""
    if not any(char in '"\\' or char < " " for char in name):
        return name + "\t" if " " in name else name
    table = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return '"' + "".join(table.get(c, c if c >= " " else f"\\{ord(c):03o}") for c in name) + '"'
