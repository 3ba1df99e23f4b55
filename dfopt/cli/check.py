"""`dfopt check`: lists findings in the chosen format."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.fix import Fix, counts
from dfopt.cli.report import reporter
from dfopt.cli.report.base import FileReport, items_of
from dfopt.cli.request import files_of, request_of, store_of
from dfopt.cli.stream import count, stream
from dfopt.workspace.run import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.cli.options import Values
    from dfopt.optimizer import Result
    from dfopt.workspace.discovery import Found


class Check(Fix):
    """The work on one file: as for `fix`, but everything that was found is shown, and nothing is written."""

    def outcome(self, found: Found, result: Result, written: bool) -> Outcome:
        from dfopt.cli.unused import unused_suppressions

        numbers = counts(result)
        unused = unused_suppressions(result, self.request.options(self.request.directory_of(found)))
        numbers["unused"] = len(unused)
        items = items_of(result, refusals=self.refusals, unused=unused)
        report = FileReport(found.name, result.source.text, items, None, result.changed, False, result.changes)
        findings = sum(numbers[kind] for kind in _KINDS)
        return Outcome(
            reporter(self.format, color=self.color).file(report),
            status=1 if findings else 0,
            counts={**numbers, "findings": findings},
        )


_KINDS = ("fixes", "available", "suggestions", "unused")


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    request = request_of(values)
    files: Iterable[Found] = files_of(values, request.lookup)
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, request, files)
    format = values.output_format or request.lookup.directory(".").get("output-format", "text")
    color = style.wanted(values.color, os.environ, out.is_terminal())
    task = Check(request, "report", format, color=color, refusals=values.show_refusals, quiet=values.quiet)
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
        return "dfopt: no Dockerfiles found\n"
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
    if totals.get("refusals"):
        text += f"; {count(totals['refusals'], 'refusal')}"
        text += "" if values.show_refusals else " (--show-refusals lists them)"
    if totals.get("errors"):
        text += f"; {count(totals['errors'], 'error')}"
    return f"dfopt: {text}\n"
