"""What `dfopt migrate plan` and `dfopt migrate apply` share: files, executor, progress, report."""

from __future__ import annotations

from contextlib import contextmanager

from dfopt.campaign.local import LocalExecutor
from dfopt.campaign.model import CampaignError
from dfopt.campaign.report import render
from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, is_shown, listed
from dfopt.cli.stream import count
from dfopt.source import encode
from dfopt.workspace.discovery import discover
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dfopt.campaign.local import Executor
    from dfopt.campaign.model import FileResult, Totals
    from dfopt.cli.options import Values
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


def files_of(values: Values, request: Request) -> tuple[Iterable[InputFile], int | None, int]:
    """The files of the campaign, how many there are, and the exit status so far. Where progress is shown, all are found
    before the work begins; elsewhere they are found on the way, so that memory stays flat, and their number is None.
    With --online also looks up the digests of their images (status 2 if one cannot be had). Raises UsageError."""
    paths: tuple[str, ...] = values.paths or (".",)
    if "-" in paths:
        raise UsageError("a campaign works on files, not on standard input ('-')")
    discovered = discover(
        paths, request.lookup, exclude=values.exclude, ignore_files=not values.no_ignore, hosts=request.hosts
    )
    if values.online:
        from dfopt.cli.digests import ask_online

        files, status = ask_online(values, request, discovered)
        return files, len(files), status
    if values.quiet or not is_shown():
        return discovered, None, 0
    files = listed(discovered)
    return files, len(files), 0


def executor_of(values: Values) -> Executor:
    """The selected executor. Raises UsageError."""
    if values.executor == "local":
        if values.scheduler is not None:
            raise UsageError("--scheduler needs --executor dask")
        return LocalExecutor(values.jobs)
    if values.scheduler is None:
        raise UsageError("--executor dask needs --scheduler ADDRESS")
    from dfopt.campaign.dask import DaskError, DaskExecutor

    try:
        return DaskExecutor(values.scheduler)
    except DaskError as failure:
        raise UsageError(str(failure)) from None


@contextmanager
def progress(number: int | None, quiet: bool, totals: Callable[[], Mapping[str, int]]) -> Iterator[StatusDisplay]:
    """The display of a campaign of `number` files (None: not known); `totals`: how many came to which state. Raises
    UsageError if the campaign cannot continue."""

    def done() -> str:
        states = [f"{files} {state}" for state, files in totals().items() if files]
        of_all = count(display.count, "file") if number is None else f"{display.count} of {count(number, 'file')}"
        return "; ".join([f"{of_all} done", *states])

    display = StatusDisplay("working on files", number, quiet, done=done)
    with display:
        try:
            yield display
        except CampaignError as failure:
            raise UsageError(str(failure)) from None


def formats_of(values: Values) -> set[str]:
    """The formats of the reports that are asked for."""
    return {values.output_format, *(_format_of_file(path) for path in values.report)}


def _format_of_file(path: str) -> str:
    return "markdown" if path.lower().endswith((".md", ".markdown")) else "json"


def tell(values: Values, totals: Totals, rows: list[FileResult], applied: bool) -> int:
    """Prints the report and writes it to files if requested; returns 2 if that failed, else 0."""
    write = out.text if values.output_format == "text" else out.data
    write(render(values.output_format, totals, rows, applied))
    status = 0
    for path in values.report:
        text = render(_format_of_file(path), totals, rows, applied)
        try:
            with Output(path) as file:
                file.write(encode(text))
        except OSError as failure:
            out.error(f"{out.printable(path)}: {failure.strerror or failure}")
            status = 2
    return status


def note(row: FileResult) -> str:
    """The line on standard error for a file that failed."""
    return f"{out.printable(row.name)}: error: {out.printable(row.error)}\n"
