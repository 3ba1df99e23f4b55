"""The Dockerfile part of a review: its steps for the history, its fixes, and what each would save in this image.

A saving is predicted from the ledger of the built image: the bytes that a cleanup keeps out of the layers of the lines
it changes, and the bytes that one joined line stores and another deletes. Every byte is counted for one fix only.
"""

from __future__ import annotations

from dfopt.edit import unified_diff
from dfopt.image.created_by import DockerfileStep
from dfopt.image.ledger import Ledger
from dfopt.image.merged_tree import METADATA_ONLY
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.results import Applied, Reported, Result
from dfopt.review.disclosure import masked
from dfopt.review.model import LineAccount, Saving, SourceReview
from dfopt.source import LineIndex
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.image.history import Mapping
    from dfopt.review.survey import ImageSurvey


def steps_of(text: str) -> list[DockerfileStep]:
    """The instructions of a Dockerfile as `map_history` takes them. Raises DockerfileError."""
    steps = []
    for node in parse(text).instructions:
        body = node.joined.text[len(node.keyword) : node.stop].strip()
        steps.append(
            DockerfileStep(node.keyword, body, node.line, tuple(text[doc.start : doc.end] for doc in node.heredocs))
        )
    return steps


class _Span(Record):
    """A fix, and the lines that it touches."""

    name: str
    tier: str
    message: str
    first: int
    last: int


def source_review(
    result: Result, mapping: Mapping, ledger: Ledger, survey: ImageSurvey, labels: Sequence[str]
) -> SourceReview:
    """What the Dockerfile says about the image, and the optimizer's result for it. `labels`: the title of each author
    of the result's changes."""
    text = result.source.text
    name = result.source.name
    diff = unified_diff(text, result.changes, name.lstrip("/") or name, labels) if result.changed else ""
    lines = _layers_by_line(mapping)
    savings = _savings(_spans(result), lines, ledger, survey)
    accounts = []
    texts = {step.line: f"{step.keyword} {' '.join(step.text.split())}" for step in steps_of(text)}
    for line in sorted(lines):
        tallies = [ledger.layers[layer] for layer in lines[line]]
        accounts.append(
            LineAccount(
                line, masked(texts.get(line, "")), tuple(lines[line]), sum(tally.bytes for tally in tallies),
                sum(tally.live for tally in tallies), sum(tally.dead for tally in tallies),
                sum(tally.killed for tally in tallies),
                tuple(saving for saving, first, last in savings if first <= line <= last),
            )
        )  # fmt: skip
    mapped = {layer for layers in lines.values() for layer in layers}
    return SourceReview(
        name, diff, tuple(saving for saving, _, _ in savings), tuple(accounts), len(ledger.layers) - len(mapped), ""
    )


def unreadable(name: str, problem: str) -> SourceReview:
    """The Dockerfile part of a review whose file cannot be parsed."""
    return SourceReview(name, "", (), (), 0, problem)


def _layers_by_line(mapping: Mapping) -> dict[int, list[int]]:
    layers: dict[int, list[int]] = {}
    for origin in mapping.origins:
        if origin.layer is not None and origin.step is not None:
            layers.setdefault(origin.step.line, []).append(origin.layer)
    return layers


def _spans(result: Result) -> list[_Span]:
    index = LineIndex(result.source.text)
    fixes: list[Applied | Reported] = [*result.applied, *[fix for fix in result.reported if fix.fixable]]
    return [
        _Span(fix.name, fix.tier, " ".join(fix.message.split()), index.line(fix.start) + 1, index.line(fix.end) + 1)
        for fix in fixes
    ]


def _savings(
    spans: list[_Span], lines: dict[int, list[int]], ledger: Ledger, survey: ImageSurvey
) -> list[tuple[Saving, int, int]]:
    """The fixes with their savings and lines, in line order."""
    leftovers = table("leftovers")
    within, metadata = set(leftovers["dead"]["within"]), set(leftovers["dead"]["metadata"])
    claimed_dead: set[int] = set()
    claimed_left: set[tuple[str, int]] = set()
    sizes: dict[int, int] = dict.fromkeys(range(len(spans)), 0)
    for number, span in sorted(enumerate(spans), key=lambda item: (item[1].name in within, item[0])):
        layers = {
            layer for line, line_layers in lines.items() if span.first <= line <= span.last for layer in line_layers
        }
        kinds = {name for name, kind in leftovers["kind"].items() if span.name in kind["passes"]}
        for leftover in survey.leftovers:
            if (
                leftover.kind in kinds
                and leftover.layer in layers
                and (leftover.kind, leftover.layer) not in claimed_left
            ):
                claimed_left.add((leftover.kind, leftover.layer))
                sizes[number] += leftover.size
        for position, dead in enumerate(ledger.dead):
            if position in claimed_dead or dead.producer not in layers:
                continue
            own_kind = survey.dead_kinds.get(position, "") in kinds
            inside = span.name in within and dead.killer in layers
            again = span.name in metadata and dead.kind == METADATA_ONLY
            if own_kind or inside or again:
                claimed_dead.add(position)
                sizes[number] += dead.size
    savings = [
        (Saving(span.name, span.tier, sizes[number], span.message, span.first), span.first, span.last)
        for number, span in enumerate(spans)
    ]
    return sorted(savings, key=lambda item: (item[1], item[0].name))


__all__ = ["DockerfileError", "source_review", "steps_of", "unreadable"]
