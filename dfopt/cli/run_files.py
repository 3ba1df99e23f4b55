"""Runs a task over the files of a command line, and tells of it."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.command_request import documentation_of, files_of, groups_refusals, store_of
from dfopt.cli.errors import UsageError
from dfopt.cli.fail_on import fail_on_of
from dfopt.cli.stream import NO_FILES, count, stream
from dfopt.cli.tasks import FixTask
from dfopt.request import STDIN, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from dfopt.cli.options import Values
    from dfopt.cli.stream import Run
    from dfopt.workspace.discovery import InputFile

    Work = TypeVar("Work", bound="FixTask")


def task_of(values: Values, kind: type[Work], request: Request) -> Work:
    """The task for each file according to the command line. Raises UsageError."""
    request.batch = True
    return kind(
        request,
        _mode(values),
        values.output_format or "text",
        values.write,
        values.patch is not None,
        style.use_color(values.color, os.environ, out.is_terminal()),
        values.show_refusals,
        values.quiet,
        out.is_terminal(),
        fail_on_of(values, request.lookup),
        groups_refusals(values, values.output_format or "text"),
        documentation_of(request.lookup),
    )


def run_task(values: Values, task: FixTask, run: Run) -> int:
    """Runs the task over the files by `run` (see stream), reports, and returns the exit status. Raises UsageError."""
    files: Iterable[InputFile] = files_of(values, task.request.lookup)
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, task.request, files)
    reporter = None
    if task.mode == "report":
        from dfopt.cli.report import reporter as find

        reporter = find(task.format, documentation=task.documentation)
    store = store_of(values) if task.cacheable else None
    if values.patch is None:
        status, totals = stream(files, task, task.failed, values.jobs, reporter, None, store, run=run)
    else:
        from dfopt.cli.patch import PatchFile

        with PatchFile(values.patch) as patch:
            status, totals = stream(files, task, task.failed, values.jobs, reporter, patch, store, run=run)
    if not values.quiet:
        out.note(_summary(totals, values, task.request.report))
    return max(status, failed)


def _mode(values: Values) -> str:
    stdin = STDIN in values.paths
    if values.write and values.check:
        raise UsageError("--write and --check exclude each other")
    if values.write and stdin:
        raise UsageError("--write cannot be combined with '-': the result goes to standard output")
    if (values.output_format or "text") != "text":
        if values.diff:
            raise UsageError(f"--diff and --output-format {values.output_format} exclude each other")
        return "report"
    if values.diff:
        return "diff"
    if values.check:
        return "names"
    if stdin:
        return "text"
    return "nothing" if values.write or values.patch is not None else "diff"


def _summary(totals: Mapping[str, int], values: Values, complete: bool) -> str:
    """One line for standard error, e.g. `3 of 20 files would change (5 fixes); 2 refusals (--show-refusals)`.
    `complete`: findings that change nothing were looked for, too."""
    files = totals.get("files", 0)
    if not files:
        return NO_FILES
    done = "changed" if values.write else "would change"
    parts = [f"{totals.get('changed', 0)} of {count(files, 'file')} {done}"]
    if totals.get("fixes"):
        parts[0] += f" ({count(totals['fixes'], 'fix')})"
    if totals.get("available"):
        parts.append(f"{count(totals['available'], 'more fix')} with --unsafe")
    if totals.get("suggestions"):
        parts.append(f"{count(totals['suggestions'], 'suggestion')} (dfopt check)")
    if totals.get("refusals"):
        hint = "" if values.show_refusals else " (--show-refusals lists them)"
        parts.append(count(totals["refusals"], "refusal") + hint)
    if not complete:
        parts.append("dfopt check lists what else there is")
    if totals.get("errors"):
        parts.append(count(totals["errors"], "error"))
    return f"dfopt: {'; '.join(parts)}\n"
