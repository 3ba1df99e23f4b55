"""The work on one file of `check`."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.report import reporter
from dfopt.cli.report.base import FileReport, items_of
from dfopt.cli.tasks import FixTask, counts
from dfopt.workspace.run import FileOutcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.cli.report.base import ReportItem
    from dfopt.results import Result
    from dfopt.workspace.baseline import Baseline
    from dfopt.workspace.discovery import InputFile


_COUNT_OF_KIND = {"fix": "fixes", "available": "available", "suggestion": "suggestions", "unused-suppression": "unused"}


def held_back(
    items: tuple[ReportItem, ...], findings_by_pass: Mapping[str, int], baseline_counts: Mapping[str, int]
) -> tuple[tuple[ReportItem, ...], dict[str, int]]:
    """The items to show, and how many of each kind are suppressed because their pass found no more than the baseline
    records."""
    quiet = {name for name, number in findings_by_pass.items() if number <= baseline_counts.get(name, 0)}
    visible: list[ReportItem] = []
    suppressed: dict[str, int] = {}
    for item in items:
        if item.name in quiet and item.kind != "refusal":
            suppressed[_COUNT_OF_KIND[item.kind]] = suppressed.get(_COUNT_OF_KIND[item.kind], 0) + 1
        else:
            visible.append(item)
    return tuple(visible), suppressed


class CheckTask(FixTask):
    """The work on one file: as for `fix`, but it reports all findings and writes nothing.

    baseline  findings to suppress
    """

    baseline: Baseline | None = None

    def outcome(self, file: InputFile, result: Result, written: bool) -> FileOutcome:
        from dfopt.cli.unused import unused_suppressions

        numbers = counts(result)
        unused = unused_suppressions(result, self.request.options_for(file, result.source))
        numbers["unused"] = len(unused)
        items = items_of(
            result, refusals=self.refusals and not self.grouped, unused=unused, own=self.own_edits(file, result),
            documentation=self.documentation,
        )  # fmt: skip
        passes: dict[str, int] = {}
        for item in items:
            if item.kind != "refusal":
                passes[item.name] = passes.get(item.name, 0) + 1
        notes = ""
        if self.baseline is not None:
            baseline_counts = self.baseline.of(file.path)
            items, suppressed = held_back(items, passes, baseline_counts)
            for kind, number in suppressed.items():
                numbers[kind] -= number
            numbers["baseline"] = sum(suppressed.values())
            for name, number in sorted(baseline_counts.items()):
                if passes.get(name, 0) < number:
                    notes += (
                        f"{out.printable(file.name)}: baseline: {name}: {number} known, {passes.get(name, 0)} found\n"
                    )
                    numbers["stale"] = numbers.get("stale", 0) + 1
        report = FileReport(file.name, result.source.text, items, None, result.changed)
        findings = sum(numbers[kind] for kind in _KINDS)
        return FileOutcome(
            reporter(self.format, color=self.color).file(report),
            status=1 if self.fail_on.fails(items) else 0,
            notes="" if self.quiet else notes,
            counts={**numbers, "findings": findings},
            name=file.path,
            passes=passes,
            refusals=self.refusal_rows(file, result),
        )


_KINDS = ("fixes", "available", "suggestions", "unused")
