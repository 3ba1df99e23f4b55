"""`dfopt check`: lists findings in the chosen format."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.check_task import CheckTask
from dfopt.cli.command_request import documentation_of, files_of, groups_refusals, lookup_of, request_of, store_of
from dfopt.cli.errors import UsageError
from dfopt.cli.fail_on import fail_on_of
from dfopt.cli.report import reporter
from dfopt.cli.stream import NO_FILES, count, stream
from dfopt.request import STDIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.cli.options import Values
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    if values.timings or values.print_after:
        from dfopt.cli.trace import tracing

        request = request_of(values)
        with tracing(values, request):
            return _once(values, request)
    if not values.watch:
        return _once(values, request_of(values))
    from dfopt.cli.watch import watch

    if STDIN in values.paths or values.update_baseline:
        raise UsageError("--watch cannot be combined with '-' or --update-baseline")
    return watch(lambda: files_of(values, lookup_of(values)), lambda: _once(values, request_of(values)))


def _once(values: Values, request: Request) -> int:
    files: Iterable[InputFile] = files_of(values, request.lookup)
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, request, files)
    format = values.output_format or request.lookup.directory(".").get("output-format", "text")
    color = style.use_color(values.color, os.environ, out.is_terminal())
    pages = documentation_of(request.lookup)
    reports = reporter(format, color=color, documentation=pages)
    task = CheckTask(
        request, "report", format, color=color, refusals=values.show_refusals, quiet=values.quiet,
        fail_on=fail_on_of(values, request.lookup), grouped=groups_refusals(values, format), documentation=pages,
    )  # fmt: skip
    if values.statistics or values.baseline is not None or values.update_baseline:
        from dfopt.cli.baseline import run_with

        status, totals = run_with(values, task, files, reports)
    else:
        status, totals = stream(files, task, task.failed, values.jobs, reports, None, store_of(values))
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
