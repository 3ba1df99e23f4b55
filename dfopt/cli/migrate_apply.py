"""`dfopt migrate apply`: delivers a campaign."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack

from dfopt.campaign.deliver import branches, patches, write
from dfopt.campaign.groups import Grouper
from dfopt.campaign.journal import Journal
from dfopt.campaign.message import Message, MessageError
from dfopt.campaign.model import Totals
from dfopt.campaign.report import shows
from dfopt.campaign.task import Task
from dfopt.cli import out
from dfopt.cli.command_request import request_of
from dfopt.cli.errors import UsageError
from dfopt.cli.migrate import executor_of, files_of, formats_of, note, progress, tell
from dfopt.record import replace
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.campaign.model import FileResult
    from dfopt.cli.options import Values
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    message = _checked(values)
    request = request_of(values)
    files, number, lookup_status = files_of(values, request)
    executor = executor_of(values)
    with ExitStack() as stack:
        campaign = _Campaign(values, request, _journal(values, stack))
        results = executor.run(campaign.unfinished(files), Task(request))
        stack.callback(results.close)
        with progress(number, values.quiet, lambda: campaign.totals.states) as display:
            for row in display.over(results):
                campaign.take(row)
        campaign.deliver(message)
    rows = [campaign.shown[number] for number in sorted(campaign.shown)]
    status = tell(values, campaign.totals, rows, applied=True)
    return max(status, lookup_status, 2 if campaign.totals.states["failed"] else 1 if campaign.totals.left else 0)


class _Campaign:
    """The rows of a run, delivered as they arrive. `shown`: by the number of the file, those that the report shows: of
    the others nothing is kept, so that memory stays flat."""

    def __init__(self, values: Values, request: Request, journal: Journal | None) -> None:
        self.values = values
        self.request = request
        self.journal = journal
        self.formats = formats_of(values)
        self.totals = Totals()
        self.shown: dict[int, FileResult] = {}
        self.numbers: deque[int] = deque()  # of the files that the executor works on
        self.later: list[FileResult] = []  # changed files for patches or branches, until all have arrived
        self.number_of: dict[str, int] = {}  # of those, by their paths
        self.changed = 0

    def unfinished(self, files: Iterable[InputFile]) -> Iterator[InputFile]:
        """The files that no earlier run finished. The rows of the others are taken from the journal."""
        for number, file in enumerate(files):
            row = self.finished(file)
            if row is None:
                self.numbers.append(number)
                yield file
            else:
                self.totals.add(row)
                self.show(number, row)

    def finished(self, file: InputFile) -> FileResult | None:
        """The row of a file that an earlier run finished."""
        if self.journal is None:
            return None
        try:
            row = self.journal.finished(file.path, self.request.settings_key(file))
        except ConfigError:
            return None
        return None if row is None else replace(row, name=file.name, path=file.path, root=file.root)

    def take(self, row: FileResult) -> None:
        """A row from the executor: those of `unfinished`, in their order."""
        number = self.numbers.popleft()
        self.totals.add(row)
        if row.state == "changed":
            if self.values.max_files is not None and self.changed >= self.values.max_files:
                self.totals.left += 1
                self.show(number, replace(row, result=None))
                return
            self.changed += 1
            if self.values.patch is not None or self.values.branch is not None:
                self.later.append(row)
                self.number_of[row.path] = number
                return
            row = write(row)
            if row.state == "failed":
                self.totals.not_delivered()
        self.done(number, row)

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
            if row.state == "failed":
                self.totals.not_delivered()
            self.done(self.number_of[row.path], row)

    def done(self, number: int, row: FileResult) -> None:
        self.show(number, row)
        if row.state == "failed":
            out.note(note(row))
        if self.journal is not None:
            self.journal.add(row)

    def show(self, number: int, row: FileResult) -> None:
        if shows(self.formats, row):
            self.shown[number] = row


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
