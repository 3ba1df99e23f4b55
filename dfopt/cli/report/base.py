"""What every output format works from: the report of one file, and its findings with their places."""

from __future__ import annotations

from dfopt.edit import Change
from dfopt.record import Record
from dfopt.source import BOM, LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dfopt.findings import Benefit
    from dfopt.results import Result

UNUSED = "unused-suppression"


class ReportItem(Record):
    """One finding to show.

    kind     "fix" (applied by this run, or by one that writes), "available" (a fix of a tier that was not selected),
             "suggestion", "refusal", "unused-suppression"
    reason   of a refusal
    unblock  of a refusal: what the user can do about it
    benefit  what the fix brings, or would bring; None: not known
    number   of a fix: its author number in the report's changes, else -1
    round    of a fix: the round that made it, else 0
    start, end                           offsets in the text
    line, column, end_line, end_column   from 1, columns in code points; the end is exclusive
    """

    name: str
    kind: str
    tier: str
    message: str
    reason: str
    number: int
    round: int
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int
    unblock: str = ""
    benefit: Benefit | None = None

    @property
    def label(self) -> str:
        """The text in brackets after the name."""
        return "refused" if self.kind == "refusal" else self.tier

    @property
    def full_message(self) -> str:
        """The message, with a refusal's reason and what unblocks it."""
        parts = f"{self.message}: {self.reason}" if self.reason else self.message
        return f"{parts}; {self.unblock}" if self.unblock else parts


class Failure(Record):
    """Why a file could not be processed. `line` is 0 if no place in the file is to blame."""

    message: str
    line: int = 0
    column: int = 0


class FileReport(Record):
    """One file: its name, its text ("" if it could not be read), its findings in file order. `proof`: the
    result of `fix --verify`, ready for JSON."""

    name: str
    text: str = ""
    items: tuple[ReportItem, ...] = ()
    failure: Failure | None = None
    changed: bool = False
    written: bool = False
    changes: tuple[Change, ...] = ()
    proof: Mapping[str, object] | None = None


class Reporter:
    """One output format. `file` is pure and may run in a worker process; its results are joined by `separator`
    and enclosed by `head` and `tail`."""

    separator = ""

    def head(self) -> str:
        return ""

    def file(self, report: FileReport) -> str:
        """The part for one file; "" if there is nothing to report."""
        raise NotImplementedError

    def tail(self, totals: Mapping[str, int]) -> str:
        return ""


def items_of(result: Result, *, refusals: bool, unused: Sequence[tuple[int, int, str]] = ()) -> tuple[ReportItem, ...]:
    """The findings of a result in file order. `unused`: start, end and message of each unused suppression comment."""
    index = LineIndex(result.source.text)
    items: list[ReportItem] = []

    def add(name: str, kind: str, tier: str, message: str, start: int, end: int, reason: str = "",
            number: int = -1, round: int = 0, unblock: str = "", benefit: Benefit | None = None) -> None:  # fmt: skip
        line, column = position(index, start)
        end_line, end_column = position(index, max(start, end))
        message, reason = " ".join(message.split()), " ".join(reason.split())
        item = ReportItem(
            name, kind, tier, message, reason, number, round, start, end, line, column, end_line, end_column,
            " ".join(unblock.split()), benefit,
        )  # fmt: skip
        items.append(item)

    for fix in result.applied:
        add(
            fix.name, "fix", fix.tier, fix.message, fix.start, fix.end, number=fix.number, round=fix.round,
            benefit=fix.benefit,
        )  # fmt: skip
    for other in result.reported:
        kind = "available" if other.fixable else "refusal" if other.reason else "suggestion"
        if kind != "refusal" or refusals:
            add(
                other.name, kind, other.tier, other.message, other.start, other.end, other.reason,
                unblock=other.unblock, benefit=other.benefit,
            )  # fmt: skip
    for start, end, message in unused:
        add(UNUSED, UNUSED, "suggestion", message, start, end)
    return tuple(sorted(items, key=lambda item: (item.start, item.end, item.name)))


def benefit_json(benefit: Benefit | None) -> dict[str, object] | None:
    """A benefit for JSON and SARIF: `bytes`, `layers`, `rebuild_seconds`, `setuid`, `root`, `origin`, `source`."""
    if benefit is None:
        return None
    return {
        "bytes": benefit.bytes, "layers": benefit.layers, "rebuild_seconds": benefit.rebuild,
        "setuid": benefit.setuid, "root": benefit.root, "origin": benefit.origin, "source": benefit.source,
    }  # fmt: skip


def position(index: LineIndex, offset: int) -> tuple[int, int]:
    """Line and column from 1; a byte order mark takes no column, as in editors."""
    line, column = index.position(min(offset, len(index.text)))
    if line == 0 and column and index.text.startswith(BOM):
        column -= 1
    return line + 1, column + 1


def edits_of(report: FileReport, item: ReportItem) -> list[Change]:
    """The changes that belong to a fix: its own, and those of the fixes that it depends on: fixes that share a change
    with it, and fixes of other rounds that touch the same place, directly or through others."""
    if item.number < 0:
        return []
    fixes = [other for other in report.items if other.number >= 0]
    together = {item.number}
    while True:
        size = len(together)
        for change in report.changes:
            if together & change.authors:
                together |= change.authors
        for member in [fix for fix in fixes if fix.number in together]:
            together |= {
                other.number
                for other in fixes
                if other.round != member.round and other.start <= member.end and member.start <= other.end
            }
        if len(together) == size:
            return [change for change in report.changes if together & change.authors]


def codes_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The codes that the named passes implement; none for a name that is not a pass."""
    from dfopt.passes.index import entries

    entries_by_name = {entry.name: entry for entry in entries()}
    return {name: entries_by_name[name].codes if name in entries_by_name else () for name in names}


def clean(text: str) -> str:
    """`text` as valid Unicode: each undecodable byte becomes U+FFFD."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text) if not text.isascii() else text
