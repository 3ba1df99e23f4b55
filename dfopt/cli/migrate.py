"""What `dfopt migrate plan` and `dfopt migrate apply` share: files, executor, progress, report."""

from __future__ import annotations

import sys

from dfopt.campaign.local import LocalExecutor
from dfopt.campaign.model import CampaignError
from dfopt.campaign.report import render
from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.source import encode
from dfopt.workspace.discovery import discover
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.campaign.local import Executor
    from dfopt.campaign.model import FileResult, Totals
    from dfopt.cli.options import Values
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


def files_of(values: Values, request: Request) -> tuple[list[InputFile], int]:
    """The files of the campaign, all found before the work begins so that progress can be shown, and the exit status so
    far. With --online also looks up the digests of their images (status 2 if one cannot be had). Raises UsageError."""
    paths: tuple[str, ...] = values.paths or (".",)
    if "-" in paths:
        raise UsageError("a campaign works on files, not on standard input ('-')")
    discovered = discover(
        paths, request.lookup, exclude=values.exclude, ignore_files=not values.no_ignore, hosts=request.hosts
    )
    if not values.online:
        return list(discovered), 0
    from dfopt.cli.digests import ask_online

    return ask_online(values, request, discovered)


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


def progress(rows: Iterable[FileResult], number: int, quiet: bool) -> Iterator[FileResult]:
    """The rows, with a progress bar on a terminal. Raises UsageError if the campaign cannot continue."""
    try:
        yield from _shown(rows, number, quiet)
    except CampaignError as failure:
        raise UsageError(str(failure)) from None


def _shown(rows: Iterable[FileResult], number: int, quiet: bool) -> Iterator[FileResult]:
    if quiet or not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("dfopt"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        bar = display.add_task("", total=number)
        for row in rows:
            display.advance(bar)
            yield row


def tell(values: Values, totals: Totals, rows: list[FileResult], applied: bool) -> int:
    """Prints the report and writes it to files if requested; returns 2 if that failed, else 0."""
    write = out.text if values.output_format == "text" else out.data
    write(render(values.output_format, totals, rows, applied))
    status = 0
    for path in values.report:
        format = "markdown" if path.lower().endswith((".md", ".markdown")) else "json"
        text = render(format, totals, rows, applied)
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
