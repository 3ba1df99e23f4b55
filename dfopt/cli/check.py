"""`dfopt check`: lists findings in the chosen format."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.errors import UsageError
from dfopt.cli.fix import Fix, counts
from dfopt.cli.report import reporter
from dfopt.cli.report.base import FileReport, items_of
from dfopt.cli.request import files_of, lookup_of, request_of, store_of
from dfopt.cli.stream import NO_FILES, count, stream
from dfopt.request import STDIN
from dfopt.workspace.run import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.cli.options import Values
    from dfopt.optimizer import Result
    from dfopt.workspace.baseline import Baseline
    from dfopt.workspace.discovery import Found


class Check(Fix):
    """The work on one file: as for `fix`, but everything that was found is shown, and nothing is written.

    baseline  findings that are not shown
    """

    baseline: Baseline | None = None

    def outcome(self, found: Found, result: Result, written: bool) -> Outcome:
        from dfopt.cli.unused import unused_suppressions

        numbers = counts(result)
        unused = unused_suppressions(result, self.request.options_for(found, result.source))
        numbers["unused"] = len(unused)
        items = items_of(result, refusals=self.refusals, unused=unused)
        passes: dict[str, int] = {}
        for item in items:
            if item.kind != "refusal":
                passes[item.name] = passes.get(item.name, 0) + 1
        notes = ""
        if self.baseline is not None:
            from dfopt.cli.baseline import held_back

            known = self.baseline.of(found.path)
            items, held = held_back(items, passes, known)
            for kind, number in held.items():
                numbers[kind] -= number
            numbers["baseline"] = sum(held.values())
            for name, number in sorted(known.items()):
                if passes.get(name, 0) < number:
                    notes += (
                        f"{out.printable(found.name)}: baseline: {name}: {number} known, {passes.get(name, 0)} found\n"
                    )
                    numbers["stale"] = numbers.get("stale", 0) + 1
        report = FileReport(found.name, result.source.text, items, None, result.changed, False, result.changes)
        findings = sum(numbers[kind] for kind in _KINDS)
        return Outcome(
            reporter(self.format, color=self.color).file(report),
            status=1 if findings else 0,
            notes="" if self.quiet else notes,
            counts={**numbers, "findings": findings},
            name=found.path,
            passes=passes,
        )


_KINDS = ("fixes", "available", "suggestions", "unused")


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    if not values.watch:
        return _once(values)
    from dfopt.cli.watch import watch

    if STDIN in values.paths or values.update_baseline:
        raise UsageError("--watch has no meaning with '-' or --update-baseline")
    return watch(lambda: files_of(values, lookup_of(values)), lambda: _once(values))


def _once(values: Values) -> int:
    request = request_of(values)
    files: Iterable[Found] = files_of(values, request.lookup)
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, request, files)
    format = values.output_format or request.lookup.directory(".").get("output-format", "text")
    color = style.wanted(values.color, os.environ, out.is_terminal())
    task = Check(request, "report", format, color=color, refusals=values.show_refusals, quiet=values.quiet)
    if values.statistics or values.baseline is not None or values.update_baseline:
        from dfopt.cli.baseline import run_with

        status, totals = run_with(values, task, files, reporter(format, color=color))
    else:
        status, totals = stream(
            files, task, task.failed, values.jobs, reporter(format, color=color), None, store_of(values)
        )
    if not values.quiet:
        out.note(_summary(totals, values))
    return max(status, failed)


def _summary(totals: Mapping[str, int], values: Values) -> str:
    """One line for standard error, e.g. `3 findings in 20 files: 2 fixable, 1 suggestion; 4 refusals`."""
    files = totals.get("files", 0)
    if not files:
        return NO_FILES
    parts = [
        f"{totals[name]} {words}"
        for name, words in (
            ("fixes", "fixable (dfopt fix)"),
            ("available", "fixable with --unsafe"),
            ("suggestions", "for you to decide"),
            ("unused", "unused suppressions"),
        )
        if totals.get(name)
    ]
    text = f"{count(totals.get('findings', 0), 'finding')} in {count(files, 'file')}"
    if parts:
        text += f": {', '.join(parts)}"
    if totals.get("baseline"):
        text += f"; {totals['baseline']} in the baseline"
    if totals.get("stale"):
        text += f"; {count(totals['stale'], 'stale baseline entry')} (--update-baseline)"
    if totals.get("refusals"):
        text += f"; {count(totals['refusals'], 'refusal')}"
        text += "" if values.show_refusals else " (--show-refusals lists them)"
    if totals.get("errors"):
        text += f"; {count(totals['errors'], 'error')}"
    return f"dfopt: {text}\n"
