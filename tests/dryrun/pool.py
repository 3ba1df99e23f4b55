"""Many trials in parallel: a process a worker, each with a sandbox of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from oracle_client import Oracle, build

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof.differences import declarations_of
from dfopt.source import Source, encode

from .allowed import Allowed, Declared
from .sandbox import programs
from .trial import Bench, Checks, Verdict

NO_CHECKS = Checks()
Settings = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Task:
    """A file to rewrite and to build both ways.

    context   its build context; None: none is known, neither to dfopt nor to the builds
    fill      what the context lacks is made up
    after     the file as something else rewrote it, whose `passes` and `declared` say what may differ
    """

    name: str
    text: bytes
    context: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool = False
    settings: Settings = field(default_factory=dict)
    checks: Checks = NO_CHECKS
    fill: bool = False
    after: bytes | None = None
    passes: tuple[str, ...] = ()
    declared: tuple[Declared, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What came of a task: the passes that were applied, the file after, and the verdict."""

    task: Task
    passes: tuple[str, ...]
    after: bytes
    verdict: Verdict


_bench: Bench | None = None


def _start(compiled: Path) -> None:
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    _bench = Bench(Oracle(), compiled)


def run(task: Task) -> Trial:
    """One trial, in a worker. An error of the machinery is a verdict as well: it must not pass for "same"."""
    assert _bench is not None
    passes: tuple[str, ...] = ()
    after = task.text
    try:
        if task.after is not None:
            allowed = Allowed(task.passes, task.declared)
            verdict = _bench.compare(task.text, task.after, allowed, task.context, task.checks, task.fill)
            return Trial(task, task.passes, task.after, verdict)
        source = Source.from_bytes(task.text, task.name)
        tiers = ("safe", "unsafe") if task.unsafe else ("safe",)
        options = Options(task.select, task.ignore, tiers, task.settings)
        if task.context is not None:
            from dfopt.workspace.facts import ContextFacts

            facts = ContextFacts(str(task.context / "Dockerfile"), str(task.context), source, str(task.context))
            result = optimize(source, options, facts)
        else:
            result = optimize(source, options)
        if not result.changed:
            return Trial(task, (), after, Verdict("unchanged"))
        after = encode(result.output)
        passes = tuple(dict.fromkeys(fix.name for fix in result.applied))
        allowed = Allowed(passes, declarations_of(result.applied))
        verdict = _bench.compare(task.text, after, allowed, task.context, task.checks, task.fill)
    except Exception as error:
        verdict = Verdict("error", f"{type(error).__name__}: {error}"[:500])
    return Trial(task, passes, after, verdict)


class Pool:
    """Workers for trials; to be used in a `with` statement. Raises SandboxMissing, OracleMissing where none can be."""

    def __init__(self, workers: int | None = None) -> None:
        compiled = programs()
        build()
        self.workers = workers or len(os.sched_getaffinity(0))
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_start, initargs=(compiled,))

    def run(self, tasks: Iterable[Task]) -> Iterator[Trial]:
        """The trials in the order of their tasks."""
        yield from self._executor.map(run, tasks)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)
