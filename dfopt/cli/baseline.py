"""`dfopt check` with a baseline, and with counts by pass."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.command_request import store_of
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count, stream
from dfopt.record import replace
from dfopt.workspace.baseline import Baseline, BaselineError, read_baseline, write_baseline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.cli.check_task import CheckTask
    from dfopt.cli.options import Values
    from dfopt.cli.report.base import Reporter
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.run import FileOutcome


def run_with(
    values: Values, task: CheckTask, files: Iterable[InputFile], reporter: Reporter
) -> tuple[int, dict[str, int]]:
    """The run of `check` with --baseline, --update-baseline or --statistics. Raises UsageError."""
    path: str | None = values.baseline
    if values.update_baseline and path is None:
        raise UsageError("--update-baseline needs --baseline FILE")
    baseline = None if path is None else _read(path, values.update_baseline)
    counts_by_file: dict[str, dict[str, int]] = {}
    totals_by_pass: dict[str, int] = {}

    def see(outcome: FileOutcome) -> None:
        for name, number in outcome.passes.items():
            totals_by_pass[name] = totals_by_pass.get(name, 0) + number
        if baseline is not None and outcome.name:
            counts_by_file[baseline.name_of(outcome.name)] = dict(outcome.passes)

    if not values.update_baseline:
        task = replace(task, baseline=baseline)
    silent = values.update_baseline or values.statistics
    if silent:
        task = replace(task, format="concise")
    status, totals = stream(
        files, task, task.failed, values.jobs, None if silent else reporter, None, store_of(values), see, silent
    )
    if values.statistics:
        out.text(_statistics(totals_by_pass))
    if baseline is not None:
        gone = [name for name in baseline.gone() if name not in counts_by_file]
        if values.update_baseline:
            remaining = {name: counts for name, counts in baseline.files.items() if name not in gone}
            assert path is not None
            write_baseline(path, {**remaining, **counts_by_file})
            if status != 2:
                status = 0
        elif not values.quiet:
            for name in gone:
                out.note(f"{out.printable(name)}: baseline: the file no longer exists\n")
            totals["stale"] = totals.get("stale", 0) + len(gone)
    return status, totals


def _read(path: str, may_be_new: bool) -> Baseline:
    import os

    try:
        return read_baseline(path)
    except FileNotFoundError:
        if may_be_new:
            return Baseline(os.path.dirname(os.path.abspath(path)))
        raise UsageError(f"--baseline: {path}: no such file (--update-baseline creates it)") from None
    except (BaselineError, OSError) as failure:
        raise UsageError(f"--baseline: {failure}") from None


def _statistics(totals: Mapping[str, int]) -> str:
    """Counts by pass, most frequent first."""
    rows = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{number:7}  {name}\n" for name, number in rows) or f"{count(0, 'finding')}\n"
