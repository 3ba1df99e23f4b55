"""`dfopt migrate apply`: delivers a campaign."""

from __future__ import annotations

from contextlib import ExitStack

from dfopt.campaign.deliver import branches, patches, write
from dfopt.campaign.groups import Grouper
from dfopt.campaign.journal import Journal
from dfopt.campaign.message import Message, MessageError
from dfopt.campaign.model import Totals
from dfopt.campaign.task import Task
from dfopt.cli import out
from dfopt.cli.command_request import request_of
from dfopt.cli.errors import UsageError
from dfopt.cli.migrate import executor_of, files_of, note, progress, tell
from dfopt.record import replace
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dfopt.campaign.model import FileResult
    from dfopt.cli.options import Values
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    message = _checked(values)
    request = request_of(values)
    files, lookup_status = files_of(values, request)
    executor = executor_of(values)
    with ExitStack() as stack:
        journal = _journal(values, stack)
        finished, unfinished = _finished(files, request, journal)
        campaign = _Campaign(values, journal, finished)
        results = executor.run(unfinished, Task(request))
        stack.callback(results.close)
        with progress(len(unfinished), values.quiet, lambda: campaign.totals(campaign.rows).states) as display:
            for row in display.over(results):
                campaign.take(row)
        campaign.deliver(message)
    rows = sorted(campaign.rows, key=_order(files))
    status = tell(values, campaign.totals(rows), rows, applied=True)
    return max(status, lookup_status, 2 if any(row.state == "failed" for row in rows) else 1 if campaign.left else 0)


class _Campaign:
    """The rows of a run, delivered as they arrive."""

    def __init__(self, values: Values, journal: Journal | None, finished: list[FileResult]) -> None:
        self.values = values
        self.journal = journal
        self.rows: list[FileResult] = list(finished)
        self.later: list[FileResult] = []  # changed files for patches or branches, until all have arrived
        self.changed = 0
        self.left = 0

    def take(self, row: FileResult) -> None:
        """A row from the executor."""
        if row.state == "changed":
            if self.values.max_files is not None and self.changed >= self.values.max_files:
                self.left += 1
                self.rows.append(replace(row, result=None))
                return
            self.changed += 1
            if self.values.patch is not None or self.values.branch is not None:
                self.later.append(row)
                return
            row = write(row)
        self.done(row)

    def deliver(self, message: Message | None) -> None:
        """Delivers the groups that were waiting for their files."""
        if not self.later:
            return
        try:
            groups = Grouper(self.values.by, self.values.depth or 1).groups(self.later)
        except OSError as failure:
            place = out.printable(str(failure.filename or ""))
            raise UsageError(f"--by {self.values.by}: {place}: {failure.strerror or failure}") from None
        if self.values.patch is not None:
            delivered = patches(groups, self.values.patch)
        else:
            assert message is not None
            delivered = branches(groups, self.values.branch, message)
        for row in delivered:
            self.done(row)

    def done(self, row: FileResult) -> None:
        self.rows.append(row)
        if row.state == "failed":
            out.note(note(row))
        if self.journal is not None:
            self.journal.add(row)

    def totals(self, rows: Iterable[FileResult]) -> Totals:
        totals = Totals()
        for row in rows:
            totals.add(row)
        totals.left = self.left
        return totals


def _checked(values: Values) -> Message | None:
    """The message template, if one is needed. Raises UsageError for options that exclude each other."""
    if values.patch is not None and values.branch is not None:
        raise UsageError("--patch and --branch exclude each other")
    grouped = values.patch is not None or values.branch is not None
    for name, is_given in (("--by", values.by != "all"), ("--depth", values.depth is not None)):
        if is_given and not grouped:
            raise UsageError(f"{name} needs --patch or --branch")
    if values.depth is not None and values.by != "directory":
        raise UsageError("--depth needs --by directory")
    if values.message is not None and values.branch is None:
        raise UsageError("--message needs --branch")
    try:
        return Message(values.message) if values.branch is not None else None
    except MessageError as failure:
        raise UsageError(f"--message: {failure}") from None


def _journal(values: Values, stack: ExitStack) -> Journal | None:
    if values.journal is None:
        return None
    try:
        return stack.enter_context(Journal(values.journal))
    except ValueError as failure:
        raise UsageError(f"--journal: {failure}") from None


def _finished(
    files: list[InputFile], request: Request, journal: Journal | None
) -> tuple[list[FileResult], list[InputFile]]:
    """The rows of files that an earlier run finished, and the remaining files."""
    if journal is None:
        return [], files
    finished: list[FileResult] = []
    unfinished: list[InputFile] = []
    for file in files:
        try:
            row = journal.finished(file.path, request.settings_key(file))
        except ConfigError:
            row = None
        if row is None:
            unfinished.append(file)
        else:
            finished.append(replace(row, name=file.name, path=file.path, root=file.root))
    return finished, unfinished


def _order(files: list[InputFile]) -> Callable[[FileResult], int]:
    places = {file.path: number for number, file in enumerate(files)}
    return lambda row: places.get(row.path, len(places))
