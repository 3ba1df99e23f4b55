"""What fixes would bring, by what a profile measured: the bytes that a cleanup keeps out of the layers of its lines,
and those that one joined line stores and another deletes. Every byte is counted for one fix only."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from dfopt.findings import Benefit
from dfopt.knowledge import table
from dfopt.record import Record, replace
from dfopt.source import LineIndex
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dfopt.results import Applied, Reported, Result

_WRITING = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))


class _Span(Record):
    """The lines of the profile that a finding is about; `whole`: the profile has all that write anything."""

    finding: Applied | Reported
    lines: frozenset[int]
    whole: bool


def with_measured(result: Result, lines: Sequence[Mapping[str, Any]], source: str) -> Result:
    """A result whose benefits are measured, as far as the rows `lines` of a profile tell. `source`: what says so."""
    if result.problem is not None or not lines:
        return result
    rows = {row["line"]: row for row in lines}
    spans = _spans(result, rows)
    saved = _saved(spans, rows)
    findings: list[Applied | Reported] = []
    for span, size in zip(spans, saved, strict=True):
        benefit = span.finding.benefit
        if span.lines:
            wrote, dead = (sum(rows[line][key] for line in span.lines) for key in ("bytes", "dead"))
            benefit = replace(benefit or Benefit(), wrote=wrote, dead=dead)
            if size is not None:
                benefit = replace(benefit, bytes=size, origin="measured", source=source)
        findings.append(replace(span.finding, benefit=benefit))
    count = len(result.applied)
    measured: Result = replace(result, applied=tuple(findings[:count]), reported=tuple(findings[count:]))
    return measured


def named_sources(result: Result, sources: frozenset[str], source: str) -> Result:
    """A result in which measured figures by one of `sources` are by `source`."""

    def named(finding: Any) -> Any:
        benefit = finding.benefit
        if benefit is None or benefit.origin != "measured" or benefit.source not in sources:
            return finding
        return replace(finding, benefit=replace(benefit, source=source))

    if not sources:
        return result
    changed: Result = replace(
        result, applied=tuple(map(named, result.applied)), reported=tuple(map(named, result.reported))
    )
    return changed


def _spans(result: Result, rows: Mapping[int, Any]) -> list[_Span]:
    index = LineIndex(result.source.text)
    nodes = [node for node in parse(result.source.text).instructions if node.keyword in _WRITING]
    starts, ends = [node.line for node in nodes], [node.last for node in nodes]
    spans: list[_Span] = []
    every: list[Applied | Reported] = [*result.applied, *result.reported]
    for finding in every:
        first = index.line(finding.start) + 1
        last = index.line(max(finding.start, finding.end - 1)) + 1
        touched = starts[bisect_left(ends, first) : bisect_right(starts, last)]
        known = frozenset(line for line in touched if line in rows)
        spans.append(_Span(finding, known, bool(known) and len(known) == len(touched)))
    return spans


def _saved(spans: Sequence[_Span], rows: Mapping[int, Any]) -> list[int | None]:
    """The bytes that each fix saves; None where the profile cannot tell. Refusals come last: of bytes that a fix saves,
    they would save nothing more."""
    leftovers = table("leftovers")
    within, metadata = set(leftovers["dead"]["within"]), set(leftovers["dead"]["metadata"])
    saved: list[int | None] = [None] * len(spans)
    claimed: set[tuple[object, ...]] = set()

    def claim(size: int, *what: object) -> int:
        new = what not in claimed
        claimed.add(what)
        return size if new else 0

    order = sorted(
        range(len(spans)),
        key=lambda at: (bool(getattr(spans[at].finding, "reason", "")), spans[at].finding.name in within, at),
    )
    for number in order:
        span = spans[number]
        name = span.finding.name
        # the first pass deletes just that; the others may leave some of it
        kinds = {kind for kind, row in leftovers["kind"].items() if row["passes"][:1] == [name]}
        if not span.whole or not (kinds or name in within or name in metadata):
            continue
        size = 0
        for line in sorted(span.lines):
            row = rows[line]
            size += sum(claim(count, line, kind) for kind, count in row.get("leftovers", {}).items() if kind in kinds)
            for position, death in enumerate(row.get("deaths", ())):
                inside = name in within and death["by"] in span.lines
                again = name in metadata and death.get("again", False)
                if death.get("kind") in kinds or inside or again:
                    size += claim(death["bytes"], line, position)
        saved[number] = size
    return saved
