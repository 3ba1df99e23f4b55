"""The work on one file of `fix` and of `check`."""

from __future__ import annotations

from dfopt.cli import out, style
from dfopt.cli.fail_on import FailOn
from dfopt.messages import printable_lines
from dfopt.pass_selection import unasked
from dfopt.record import Record, replace
from dfopt.request import Request
from dfopt.workspace.patches import patch_of
from dfopt.workspace.run import FileOutcome
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.cli.report.base import FileReport
    from dfopt.facts import Facts
    from dfopt.own_edits import OwnEdits
    from dfopt.pass_selection import Options
    from dfopt.results import Result
    from dfopt.workspace.discovery import InputFile


class FixTask(Record):
    """The work on one file.

    mode      what goes to standard output: "diff", "names", "text" (the result itself), "report", "nothing"
    format    of "report"
    write     write the file
    patch     create the plain diff for a patch file
    refusals  list refusals; `grouped`: as rows of the outcome, for all files together
    quiet     print no notes
    terminal  standard output is one
    fail_on   the findings that make the exit status 1
    documentation  where the pages about findings are; "" where that is not known
    """

    request: Request
    mode: str
    format: str = "text"
    write: bool = False
    patch: bool = False
    color: bool = False
    refusals: bool = False
    quiet: bool = False
    terminal: bool = False
    fail_on: FailOn = FailOn()
    grouped: bool = False
    documentation: str = ""

    @property
    def cacheable(self) -> bool:
        """Whether its outcomes may be kept for other runs."""
        return True

    def __call__(self, file: InputFile) -> FileOutcome:
        try:
            result = self.asked_for(file, self.optimized(file))
        except ConfigError as failure:
            return self.failed(file, str(failure), shared=True)
        except OSError as failure:
            return self.failed(file, failure.strerror or str(failure))
        if result.problem is not None:
            return self.unreadable(file, result)
        if not (result.changed and self.write):
            return self.noted(file, result, self.outcome(file, result, False))
        from dfopt.workspace.undo import undo_line
        from dfopt.workspace.writer import write_result

        try:
            write_result(result, file.path, file.root)
        except OSError as failure:
            return self.failed(file, f"not written: {failure.strerror or failure}")
        outcome: FileOutcome = replace(self.outcome(file, result, True), undo=undo_line(result, file.path, file.root))
        return self.noted(file, result, outcome)

    def noted(self, file: InputFile, result: Result, outcome: FileOutcome) -> FileOutcome:
        """An outcome with what is to be told of the file's profile. Raises ConfigError."""
        profile = self.request.profile_of(file, result.source)
        if profile is None or self.quiet:
            return outcome
        noted: FileOutcome = replace(outcome, once=outcome.once + profile.told(file.name))
        return noted

    def optimized(self, file: InputFile) -> Result:
        """The gated result of a file. Raises OSError, ConfigError."""
        return self.request.optimize(file)

    def asked_for(self, file: InputFile, result: Result) -> Result:
        """The result without refusals of passes whose tier was not asked for. Raises ConfigError."""
        if not any(finding.reason for finding in result.reported):
            return result
        names = unasked(self.request.options_for(file, result.source))
        kept = tuple(finding for finding in result.reported if not finding.reason or finding.name not in names)
        asked: Result = replace(result, reported=kept)
        return asked

    def proof(self, file: InputFile) -> Mapping[str, object] | None:
        """What building the file proved, for a report."""
        return None

    def outcome(self, file: InputFile, result: Result, written: bool) -> FileOutcome:
        """What to show for a file that was read, and written if requested."""
        patch = output = ""
        if result.changed and (self.patch or self.mode == "diff"):
            patch = patch_of(result, file.name)
        if self.mode == "diff":
            output = style.diff(patch, self.color, self.terminal)
        elif self.mode == "names":
            output = printable_lines(f"{out.printable(file.name)}\n") if result.changed else ""
        elif self.mode == "text":
            output = printable_lines(result.output) if self.terminal else result.output
        elif self.mode == "report":
            output = self.report(file, result, written)
        delivered = written or self.mode == "text"
        return FileOutcome(
            output,
            patch if self.patch else "",
            self.notes(file, result, written),
            1 if self.fails(result, delivered) else 0,
            counts(result, self.request.report),
            written=written,
            refusals=self.refusal_rows(file, result),
        )

    def refusal_rows(self, file: InputFile, result: Result) -> tuple[tuple[str, ...], ...]:
        """The rows of the file's refusals, if they are shown by group."""
        if not self.grouped:
            return ()
        from dfopt.cli.refusals import refusal_rows
        from dfopt.cli.report.base import items_of

        return refusal_rows(file.name, items_of(result, refusals=True))

    def fails(self, result: Result, delivered: bool) -> bool:
        if self.fail_on.only_fixes:
            return result.changed and not delivered
        from dfopt.cli.report.base import items_of

        return self.fail_on.fails(items_of(result, refusals=False), delivered)

    def notes(self, file: InputFile, result: Result, written: bool) -> str:
        lines: list[str] = []
        if written and not self.quiet:
            names = ", ".join(dict.fromkeys(fix.name for fix in result.applied))
            lines.append(f"fixed {out.printable(file.name)} ({names})\n")
        if self.refusals and self.mode != "report" and not self.grouped:
            from dfopt.cli.report.base import FileReport, items_of
            from dfopt.cli.report.concise import Concise

            items = tuple(item for item in items_of(result, refusals=True) if item.kind == "refusal")
            lines.append(Concise().file(FileReport(file.name, result.source.text, items)))
        return "".join(lines)

    def report(self, file: InputFile, result: Result, written: bool) -> str:
        from dfopt.cli.report import reporter
        from dfopt.cli.report.base import FileReport, items_of

        items = items_of(
            result, refusals=self.refusals and not self.grouped, own=self.own_edits(file, result),
            documentation=self.documentation,
        )  # fmt: skip
        shown = tuple(item for item in items if item.kind in ("fix", "refusal"))
        return reporter(self.format).file(
            FileReport(file.name, result.source.text, shown, None, result.changed, written, self.proof(file))
        )

    def own_edits(self, file: InputFile, result: Result) -> Mapping[tuple[str, int, int, str], OwnEdits] | None:
        """The edits of each finding alone, for the formats that show them. Raises ConfigError."""
        from dfopt.cli.report.base import WITH_EDITS

        if self.format not in WITH_EDITS:
            return None
        return self.request.own_edits(file, result, self.more_facts(file), self.options_of(file))

    def more_facts(self, file: InputFile) -> tuple[Facts, ...]:
        """What was known of a file beside what is known of any."""
        return ()

    def options_of(self, file: InputFile) -> Options | None:
        """The optimizer's options that gave a file's result, where they are not those that were asked for."""
        return None

    def unreadable(self, file: InputFile, result: Result) -> FileOutcome:
        """A file that is not a Dockerfile."""
        from dfopt.cli.report.base import Failure, FileReport

        problem = result.problem
        assert problem is not None
        failure = Failure(problem.message, problem.line, problem.column)
        return self.failure(FileReport(file.name, result.source.text, failure=failure))

    def failed(self, file: InputFile, message: str, shared: bool = False) -> FileOutcome:
        """A file that could not be processed; `shared`: for a reason that other files share, so it is reported once."""
        from dfopt.cli.report.base import Failure, FileReport

        return self.failure(FileReport(file.name, failure=Failure(message)), message if shared else "")

    def failure(self, report: FileReport, once: str = "") -> FileOutcome:
        from dfopt.cli.report.concise import failure_line

        output = ""
        if self.mode == "report":
            from dfopt.cli.report import reporter

            output = reporter(self.format).file(report)
        numbers = {"files": 1, "errors": 1}
        if once:
            return FileOutcome(output, status=2, counts=numbers, once=f"dfopt: error: {once}\n")
        return FileOutcome(output, notes=failure_line(report), status=2, counts=numbers)


def counts(result: Result, complete: bool = True) -> dict[str, int]:
    """The counts of one file's findings. `complete`: findings that change nothing were looked for, too."""
    numbers = {"files": 1, "errors": 0, "changed": int(result.changed), "fixes": len(result.applied)}
    if not complete:
        return numbers
    numbers.update(available=0, suggestions=0, refusals=0)
    for item in result.reported:
        numbers["available" if item.fixable else "refusals" if item.reason else "suggestions"] += 1
    return numbers
