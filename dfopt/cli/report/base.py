"""What every output format works from: the report of one file, and its findings with their places."""

from __future__ import annotations

from dfopt.documentation import address
from dfopt.record import Record
from dfopt.source import BOM, LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dfopt.edit import Edit
    from dfopt.findings import Benefit
    from dfopt.own_edits import OwnEdits
    from dfopt.results import Applied, Result

UNUSED = "unused-suppression"
WITH_EDITS = ("json", "sarif")  # the formats that give each finding its edits


class TogetherFix(Record):
    """A fix that another cannot be applied apart from; `line` counts from 1."""

    name: str
    tier: str
    line: int


class ReportItem(Record):
    """One finding to show.

    kind     "fix" (applied by this run, or by one that writes), "available" (a fix of a tier that was not selected),
             "suggestion", "refusal", "unused-suppression"
    reason   of a refusal
    unblock  of a refusal: what the user can do about it
    benefit  what the fix brings, or would bring; None: not known
    start, end                           offsets in the text
    line, column, end_line, end_column   from 1, columns in code points; the end is exclusive
    documentation                        the address of its page; "" where none is known
    edits, together                      as in `own_edits.OwnEdits`, for the formats in WITH_EDITS
    """

    name: str
    kind: str
    tier: str
    message: str
    reason: str
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int
    unblock: str = ""
    benefit: Benefit | None = None
    edits: tuple[Edit, ...] = ()
    together: tuple[TogetherFix, ...] = ()
    documentation: str = ""

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


def items_of(
    result: Result,
    *,
    refusals: bool,
    unused: Sequence[tuple[int, int, str]] = (),
    own: Mapping[tuple[str, int, int, str], OwnEdits] | None = None,
    documentation: str = "",
) -> tuple[ReportItem, ...]:
    """The findings of a result in file order. `unused`: start, end and message of each unused suppression comment;
    `own`: as from `Request.own_edits`; `documentation`: where its pages are."""
    own = own or {}
    index = LineIndex(result.source.text)
    items: list[ReportItem] = []

    def add(name: str, kind: str, tier: str, message: str, start: int, end: int, reason: str = "",
            unblock: str = "", benefit: Benefit | None = None) -> None:  # fmt: skip
        line, column = position(index, start)
        end_line, end_column = position(index, max(start, end))
        apart = own.get((name, start, end, message))
        message, reason = " ".join(message.split()), " ".join(reason.split())
        item = ReportItem(
            name, kind, tier, message, reason, start, end, line, column, end_line, end_column,
            " ".join(unblock.split()), benefit, apart.edits if apart else (),
            tuple(map(together, apart.together)) if apart else (),
            address(documentation, name, reason, unblock) if documentation else "",
        )  # fmt: skip
        items.append(item)

    def together(fix: Applied) -> TogetherFix:
        return TogetherFix(fix.name, fix.tier, position(index, fix.start)[0])

    for fix in result.applied:
        add(fix.name, "fix", fix.tier, fix.message, fix.start, fix.end, benefit=fix.benefit)
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


def position(index: LineIndex, offset: int) -> tuple[int, int]:
    """Line and column from 1; a byte order mark takes no column, as in editors."""
    line, column = index.position(min(offset, len(index.text)))
    if line == 0 and column and index.text.startswith(BOM):
        column -= 1
    return line + 1, column + 1


def together_json(item: ReportItem) -> list[dict[str, object]]:
    """The fixes that a finding cannot be applied apart from, for JSON and SARIF."""
    return [{"pass": fix.name, "tier": fix.tier, "line": fix.line} for fix in item.together]


def codes_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The codes that the named passes implement; none for a name that is not a pass."""
    from dfopt.passes.index import entries

    entries_by_name = {entry.name: entry for entry in entries()}
    return {name: entries_by_name[name].codes if name in entries_by_name else () for name in names}


def clean(text: str) -> str:
    """`text` as valid Unicode: each undecodable byte becomes U+FFFD."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text) if not text.isascii() else text
