"""`dfopt migrate plan`: counts, predicted savings and refusals of a campaign."""

from __future__ import annotations

from dfopt.campaign.model import Totals
from dfopt.campaign.report import shows
from dfopt.campaign.task import Task
from dfopt.cli import out
from dfopt.cli.command_request import request_of
from dfopt.cli.migrate import executor_of, files_of, formats_of, note, progress, tell
from dfopt.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.campaign.model import FileResult
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    request = request_of(values)
    files, number, lookup_status = files_of(values, request)
    totals = Totals()
    formats = formats_of(values)
    rows: list[FileResult] = []
    results = executor_of(values).run(files, Task(request))
    try:
        with progress(number, values.quiet, lambda: totals.states) as display:
            for row in display.over(results):
                totals.add(row)
                if shows(formats, row):
                    rows.append(replace(row, result=None))
                if row.state == "failed":
                    out.note(note(row))
    finally:
        results.close()
    status = tell(values, totals, rows, applied=False)
    return max(status, lookup_status, 2 if totals.states["failed"] else 1 if totals.states["changed"] else 0)
