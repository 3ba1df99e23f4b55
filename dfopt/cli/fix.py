"""`dfopt fix`: prints what would change as a unified diff, or writes it."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.errors import UsageError
from dfopt.cli.request import files_of, request_of, store_of
from dfopt.cli.stream import NO_FILES, count, stream
from dfopt.edit import unified_diff
from dfopt.record import Record
from dfopt.request import STDIN, Request
from dfopt.workspace.config import ConfigError
from dfopt.workspace.patches import labels, patch_name
from dfopt.workspace.run import Outcome, run_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from dfopt.cli.options import Values
    from dfopt.cli.report.base import FileReport
    from dfopt.cli.stream import Run
    from dfopt.optimizer import Result
    from dfopt.workspace.discovery import Found

    Work = TypeVar("Work", bound="Fix")


class Fix(Record):
    """The work on one file.

    mode      what goes to standard output: "diff", "names", "text" (the result itself), "report", "nothing"
    format    of "report"
    write     write the file
    patch     make the plain diff for a patch file
    refusals  list them
    quiet     no notes
    """

    request: Request
    mode: str
    format: str = "text"
    write: bool = False
    patch: bool = False
    color: bool = False
    refusals: bool = False
    quiet: bool = False

    def __call__(self, found: Found) -> Outcome:
        try:
            result = self.optimized(found)
        except ConfigError as failure:
            return self.failed(found, str(failure), shared=True)
        except OSError as failure:
            return self.failed(found, failure.strerror or str(failure))
        if result.problem is not None:
            return self.unreadable(found, result)
        written = False
        if result.changed and self.write:
            from dfopt.workspace.writer import WriteRefused, write_result

            try:
                write_result(result, found.path, found.root)
            except WriteRefused as failure:
                return self.failed(found, f"not written: {failure}")
            except OSError as failure:
                return self.failed(found, f"not written: {failure.strerror or failure}")
            written = True
        return self.outcome(found, result, written)

    def optimized(self, found: Found) -> Result:
        """The gated result of a file. Raises OSError, ConfigError."""
        return self.request.optimize(found)

    def proof(self, found: Found) -> Mapping[str, object] | None:
        """What was proved of a file by building it, for a report."""
        return None

    def outcome(self, found: Found, result: Result, written: bool) -> Outcome:
        """What to show for a file that was read, and written where that was wanted."""
        patch = shown = ""
        if result.changed and (self.patch or self.mode == "diff"):
            patch = unified_diff(result.source.text, result.changes, patch_name(found.name), labels(result))
        if self.mode == "diff":
            shown = style.diff(patch, self.color)
        elif self.mode == "names":
            shown = f"{found.name}\n" if result.changed else ""
        elif self.mode == "text":
            shown = result.output
        elif self.mode == "report":
            shown = self.report(found, result, written)
        delivered = written or self.mode == "text"
        return Outcome(
            shown,
            patch if self.patch else "",
            self.notes(found, result, written),
            1 if result.changed and not delivered else 0,
            counts(result),
            written=written,
        )

    def notes(self, found: Found, result: Result, written: bool) -> str:
        lines: list[str] = []
        if written and not self.quiet:
            names = ", ".join(dict.fromkeys(fix.name for fix in result.applied))
            lines.append(f"fixed {out.printable(found.name)} ({names})\n")
        if self.refusals and self.mode != "report":
            from dfopt.cli.report.base import FileReport, items_of
            from dfopt.cli.report.concise import Concise

            items = tuple(item for item in items_of(result, refusals=True) if item.kind == "refusal")
            lines.append(Concise().file(FileReport(found.name, result.source.text, items)))
        return "".join(lines)

    def report(self, found: Found, result: Result, written: bool) -> str:
        from dfopt.cli.report import reporter
        from dfopt.cli.report.base import FileReport, items_of

        items = tuple(item for item in items_of(result, refusals=self.refusals) if item.kind in ("fix", "refusal"))
        return reporter(self.format).file(
            FileReport(
                found.name, result.source.text, items, None, result.changed, written, result.changes, self.proof(found)
            )
        )

    def unreadable(self, found: Found, result: Result) -> Outcome:
        """A file that is no Dockerfile."""
        from dfopt.cli.report.base import Failure, FileReport

        problem = result.problem
        assert problem is not None
        failure = Failure(problem.message, problem.line, problem.column)
        return self.failure(FileReport(found.name, result.source.text, failure=failure))

    def failed(self, found: Found, message: str, shared: bool = False) -> Outcome:
        """A file that could not be worked on; `shared`: for a reason that holds for others too, told once."""
        from dfopt.cli.report.base import Failure, FileReport

        return self.failure(FileReport(found.name, failure=Failure(message)), message if shared else "")

    def failure(self, report: FileReport, once: str = "") -> Outcome:
        from dfopt.cli.report.concise import failure_line

        shown = ""
        if self.mode == "report":
            from dfopt.cli.report import reporter

            shown = reporter(self.format).file(report)
        numbers = {"files": 1, "errors": 1}
        if once:
            return Outcome(shown, status=2, counts=numbers, once=f"dfopt: error: {once}\n")
        return Outcome(shown, notes=failure_line(report), status=2, counts=numbers)


def counts(result: Result) -> dict[str, int]:
    """The numbers of one file's findings."""
    numbers = {
        "files": 1,
        "errors": 0,
        "changed": int(result.changed),
        "fixes": len(result.applied),
        "available": 0,
        "suggestions": 0,
        "refusals": 0,
    }
    for item in result.reported:
        numbers["available" if item.fixable else "refusals" if item.reason else "suggestions"] += 1
    return numbers


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    if values.verify:
        from dfopt.cli.fix_verify import run as run_verified

        return run_verified(values)
    refuse_options_of_verify(values)
    request = request_of(values)
    return run_task(values, task_of(values, Fix, request), run_all)


def refuse_options_of_verify(values: Values) -> None:
    """Raises UsageError where an option was given that only `--verify` has a meaning for."""
    from dfopt.cli.specs._engine import ENGINE

    for option in ENGINE:
        if getattr(values, option.name) != option.absent:
            raise UsageError(f"{option.flags[0]} needs --verify")


def task_of(values: Values, kind: type[Work], request: Request) -> Work:
    """The work on each file, as the command line wants it. Raises UsageError."""
    return kind(
        request,
        _mode(values),
        values.output_format or "text",
        values.write,
        values.patch is not None,
        style.wanted(values.color, os.environ, out.is_terminal()),
        values.show_refusals,
        values.quiet,
    )


def run_task(values: Values, task: Fix, run: Run) -> int:
    """Runs the work over the files by `run` (see stream), tells of it, and returns the exit code. Raises UsageError."""
    files: Iterable[Found] = files_of(values, task.request.lookup)
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, task.request, files)
    reporter = None
    if task.mode == "report":
        from dfopt.cli.report import reporter as find

        reporter = find(task.format)
    store = None if values.verify else store_of(values)  # what an engine says of a build is never kept
    if values.patch is None:
        status, totals = stream(files, task, task.failed, values.jobs, reporter, None, store, run=run)
    else:
        from dfopt.cli.patch import PatchFile

        with PatchFile(values.patch) as patch:
            status, totals = stream(files, task, task.failed, values.jobs, reporter, patch, store, run=run)
    if not values.quiet:
        out.note(_summary(totals, values))
    return max(status, failed)


def _mode(values: Values) -> str:
    stdin = STDIN in values.paths
    if values.write and values.check:
        raise UsageError("--write and --check exclude each other")
    if values.write and stdin:
        raise UsageError("--write has no meaning with '-': the result goes to standard output")
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


def _summary(totals: Mapping[str, int], values: Values) -> str:
    """One line for standard error, e.g. `3 of 20 files would change (5 fixes); 2 refusals (--show-refusals)`."""
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
    if totals.get("errors"):
        parts.append(count(totals["errors"], "error"))
    return f"dfopt: {'; '.join(parts)}\n"
