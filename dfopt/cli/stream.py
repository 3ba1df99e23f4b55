"""The loop of `fix` and `check`: outcomes in order to standard output, notes to standard error, totals."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.progress import StatusDisplay
from dfopt.workspace.run import run_all

# The note for a search that found nothing
NO_FILES = (
    "dfopt: no Dockerfiles found (in directories: Dockerfile, Containerfile, Dockerfile.NAME, NAME.Dockerfile; a file"
    " that is named is taken as one)\n"
)

_WORKING = "working on files"
_SHORT = 1.0  # seconds of work of which nothing is shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from dfopt.cli.patch import PatchFile
    from dfopt.cli.refusals import RefusalGroups
    from dfopt.cli.report.base import Reporter
    from dfopt.cli.tasks import FixTask
    from dfopt.workspace.cache import OutcomeStore
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.run import FileOutcome
    from dfopt.workspace.undo import UndoJournal

    Run = Callable[
        [Iterable[InputFile], Callable[[InputFile], FileOutcome], Callable[[InputFile, str], FileOutcome], int | None],
        Generator[FileOutcome, None, None],
    ]


def stream(
    files: Iterable[InputFile],
    task: FixTask,
    failed: Callable[[InputFile, str], FileOutcome],
    jobs: int | None,
    reporter: Reporter | None = None,
    patch: PatchFile | None = None,
    store: OutcomeStore | None = None,
    on_outcome: Callable[[FileOutcome], None] | None = None,
    silent: bool = False,
    run: Run = run_all,
) -> tuple[int, dict[str, int]]:
    """Runs the task over the files, through the cache in `store`; returns the exit status (the highest of any file) and
    the totals. `on_outcome` is called with every outcome; `silent`: print nothing to standard output; `run`: applies
    the task to each file."""
    status = 0
    totals: dict[str, int] = {}
    notes_shown: set[str] = set()
    separator = ""
    groups: RefusalGroups | None = None
    journal: UndoJournal | None = None
    if reporter is not None:
        out.data(reporter.head())
    if store is not None:
        from dfopt.cli.cached import Cached, Keeping

        work: Callable[[InputFile], FileOutcome] = Cached(task, store)
    else:
        work = task
    results = run(files, work, failed, jobs)
    outcomes: Iterable[FileOutcome] = results if store is None else Keeping(store).over(results)
    after = _SHORT if task.cacheable else 0.0  # else it builds
    display = StatusDisplay(_WORKING, quiet=task.quiet, after=after, done=lambda: _done(totals, display.step))
    try:
        with display:
            for outcome in display.over(outcomes):
                status = max(status, outcome.status)
                if on_outcome is not None:
                    on_outcome(outcome)
                for name, number in outcome.counts.items():
                    totals[name] = totals.get(name, 0) + number
                if outcome.out and not silent:
                    out.data(separator + outcome.out)
                    separator = reporter.separator if reporter is not None else ""
                if patch is not None and outcome.patch:
                    patch.add(outcome.patch)
                if outcome.undo:
                    from dfopt.workspace.undo import UndoJournal

                    journal = journal or UndoJournal()
                    _recorded(journal.add, outcome.undo)
                if outcome.refusals:
                    from dfopt.cli.refusals import RefusalGroups

                    groups = groups or RefusalGroups()
                    groups.add(outcome.refusals)
                out.note(outcome.notes)
                if outcome.once and outcome.once not in notes_shown:
                    notes_shown.add(outcome.once)
                    out.note(outcome.once)
    finally:
        results.close()
        if journal is not None:
            _recorded(journal.close)
    if groups is not None and not silent:
        (out.note if reporter is None else out.text)(groups.text())
    if reporter is not None:
        out.data(reporter.tail(totals))
    return status, totals


def _done(totals: Mapping[str, int], step: str) -> str:
    """What was done before an interrupt, and what was being done, where a task tells of its steps."""
    changed = totals.get("changed", 0)
    done = f"{count(totals.get('files', 0), 'file')} done" + (f", {changed} with changes" if changed else "")
    latest = out.printable(step.partition(" | ")[0])  # behind it: what an engine says
    return done if step == _WORKING else f"{done}; stopped at {latest}"


def _recorded(step: Callable[..., None], *arguments: str) -> None:
    """A step of keeping the journal; what goes wrong with it does not stop a run that has written already."""
    try:
        step(*arguments)
    except OSError as failure:
        out.note(f"dfopt: --undo will not know of this run: {out.printable(failure.strerror or str(failure))}\n")


def count(number: int, noun: str) -> str:
    """ "1 file", "2 files", "1 fix", "2 fixes", "2 entries"."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{number} {noun[:-1]}ies"
    return f"{number} {noun}{'es' if noun.endswith('x') else 's'}"
