"""`--timings` and `--print-after`: what the optimizer does, for people who work on passes."""

from __future__ import annotations

import difflib
from contextlib import contextmanager

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.optimizer import Observer
from dfopt.passes.index import entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from dfopt.cli.options import Values
    from dfopt.request import Request


class Trace(Observer):
    """Collects the time of each pass, and prints what a file looks like after passes of interest changed it.

    printed  names of passes, or "all"
    """

    def __init__(self, printed: Container[str] = ()) -> None:
        self.printed = printed
        self.rows: dict[tuple[str, str], tuple[int, float, int]] = {}  # (phase, pass) -> runs, seconds, findings

    def ran(self, phase: str, name: str, seconds: float, findings: int) -> None:
        runs, total, number = self.rows.get((phase, name), (0, 0.0, 0))
        self.rows[phase, name] = (runs + 1, total + seconds, number + findings)

    def applied(self, phase: str, names: list[str], before: str, after: str) -> None:
        if "all" not in self.printed and not any(name in self.printed for name in names):
            return
        title = f"after {', '.join(dict.fromkeys(names))} ({phase})"
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), "before", title, n=2
        )
        out.note("".join(out.printable(line.rstrip("\r\n")) + "\n" for line in lines))

    def timings(self) -> str:
        """A table of milliseconds, by phase and pass; the slowest pass of a phase first."""
        phases: dict[str, float] = {}
        for (phase, _), (_, seconds, _) in self.rows.items():
            phases[phase] = phases.get(phase, 0.0) + seconds
        lines = [f"{'phase':<12} {'pass':<24} {'runs':>7} {'findings':>9} {'ms':>10}\n"]
        for phase, total in phases.items():
            lines.append(f"{phase:<12} {'':<24} {'':>7} {'':>9} {total * 1000:>10.1f}\n")
            rows = [(name, row) for (of_phase, name), row in self.rows.items() if of_phase == phase]
            for name, (runs, seconds, findings) in sorted(rows, key=lambda item: -item[1][1]):
                lines.append(f"{'':<12} {name:<24} {runs:>7} {findings:>9} {seconds * 1000:>10.1f}\n")
        return "".join(lines)


@contextmanager
def tracing(values: Values, request: Request) -> Iterator[None]:
    """Traces what `request` does in this process, as the command line asks; prints the timings at the end. Raises
    UsageError for the name of a pass that does not exist."""
    if not values.timings and not values.print_after:
        yield
        return
    for word in values.print_after:
        if word != "all" and word not in {entry.name for entry in entries()}:
            raise UsageError(f'--print-after: there is no pass "{word}"')
    request.observer = trace = Trace(frozenset(values.print_after))
    values.given.update(jobs=1, no_cache=True)  # another process, or the cache, would not be seen
    yield
    if values.timings:
        out.note(trace.timings())
