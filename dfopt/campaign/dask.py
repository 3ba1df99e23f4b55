"""Campaigns on a running Dask cluster (extra `dfopt[dask]`).

Workers get the content of the files and the settings, nothing else: they need dfopt, but no share of the file system.
A worker that dies loses nothing: the scheduler hands its files to another; a file that kills one worker after the
other is reported as failed, alone. What needs the outside of a file (its build context, a lock file) is known only
here, so that a file about which a pass asks is worked on here again: the results are those of a local run.
"""

from __future__ import annotations

import os

from dfopt.campaign.model import CampaignError
from dfopt.campaign.task import Task, result_of
from dfopt.facts import Facts
from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.source import Source
from dfopt.version import fingerprint
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from dfopt.campaign.model import FileResult
    from dfopt.pass_selection import Options
    from dfopt.recipes.plan import RecipePlan
    from dfopt.results import Result
    from dfopt.workspace.discovery import InputFile

CHUNK = 32  # files per task of the scheduler
AHEAD = 4  # tasks in flight per thread of the cluster
_PATIENCE = 10  # seconds for the scheduler to answer


class DaskError(CampaignError):
    """The cluster cannot be used; the message says why."""


QUESTIONS = ("digest", "checksum", "context_paths", "context_file", "image_config", "children", "parent")


class Job(Record):
    """One file for a worker: its name, its content, the settings that hold for it, and which of QUESTIONS somebody
    here could answer."""

    name: str
    content: bytes
    settings: Options | RecipePlan
    known: tuple[str, ...]


class Elsewhere(Facts):
    """Facts that are known, but not here."""

    __slots__ = ("known",)

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known

    def knows(self, question: str) -> bool:
        return question in self.known


def work(jobs: list[Job], expected: str) -> list[Result | None]:
    """On a worker: the results of some files; None where the outside of the file was asked about. Raises DaskError
    where the worker's dfopt is another than the caller's."""
    from dfopt.optimizer import optimize
    from dfopt.pass_selection import Options
    from dfopt.workspace.facts import AskedFacts

    if fingerprint() != expected:
        raise DaskError("a worker has another version of dfopt than this machine")
    results: list[Result | None] = []
    for job in jobs:
        source = Source.from_bytes(job.content, job.name)
        facts = AskedFacts(Elsewhere(job.known))
        settings = job.settings
        if isinstance(settings, Options):
            result = optimize(source, settings, facts)
        else:
            result = settings.optimize(source, facts)
        results.append(None if facts.asked else result)
    return results


class DaskExecutor:
    """Runs tasks on the cluster at `scheduler`: an address (tcp://HOST:PORT) or a scheduler file. Raises DaskError."""

    def __init__(self, scheduler: str) -> None:
        try:
            from distributed import Client as Connected
        except ModuleNotFoundError:
            raise DaskError("--executor dask needs Dask: pip install 'dfopt[dask]'") from None
        connect: Any = Connected
        place = {"scheduler_file" if os.path.isfile(scheduler) else "address": scheduler}
        try:
            self.client: Any = connect(**place, timeout=_PATIENCE)
        except (OSError, TimeoutError, ValueError) as failure:
            raise DaskError(f"no Dask scheduler answers at {scheduler}: {failure}") from None

    def run(self, files: Iterable[InputFile], task: Task) -> Generator[FileResult, None, None]:
        """One result for each file, in order. Closes the connection at the end; the cluster stays as it was."""
        from collections import deque

        threads = sum(self.client.nthreads().values()) or 1
        expected = fingerprint()
        waiting: deque[tuple[list[tuple[InputFile, Job | FileResult]], Any]] = deque()
        remaining = iter(files)
        try:
            while True:
                while len(waiting) < AHEAD * threads:
                    chunk = [(found, self._job(found, task)) for _, found in zip(range(CHUNK), remaining, strict=False)]
                    if not chunk:
                        break
                    jobs = [job for _, job in chunk if isinstance(job, Job)]
                    future = self.client.submit(work, jobs, expected, pure=False, retries=1) if jobs else None
                    waiting.append((chunk, future))
                if not waiting:
                    return
                chunk, future = waiting.popleft()
                yield from self._results(chunk, future, task, expected)
        finally:
            for _, future in waiting:
                if future is not None:
                    future.cancel()
            self.client.close()

    def _job(self, file: InputFile, task: Task) -> Job | FileResult:
        """What to send for a file, or the row of one that cannot be sent."""
        try:
            if file.error:
                raise OSError(0, file.error)
            content = read_regular(file.path)
            facts = task.request.facts_of(file, Source.from_bytes(content, file.name))
            questions = tuple(question for question in QUESTIONS if facts.knows(question))
            return Job(file.name, content, task.request.settings_for(file), questions)
        except ConfigError as failure:
            return task.failed(file, str(failure))
        except OSError as failure:
            return task.failed(file, failure.strerror or str(failure))

    def _results(
        self, chunk: list[tuple[InputFile, Job | FileResult]], future: Any, task: Task, expected: str
    ) -> Generator[FileResult, None, None]:
        results: list[Result | str | None] = []
        if future is not None:
            jobs = [job for _, job in chunk if isinstance(job, Job)]
            try:
                results = list(future.result())
            except DaskError:
                raise
            except Exception as failure:  # a worker died again and again on one of these, or a defect of dfopt
                results = [self._alone(job, expected, failure) for job in jobs]
        received = iter(results)
        for found, job in chunk:
            if not isinstance(job, Job):
                yield job
                continue
            result = next(received)
            if isinstance(result, str):
                yield task.failed(found, result)
            elif result is None:
                yield task(found)
            else:
                yield result_of(found, result, task.request.settings_key(found))

    def _alone(self, job: Job, expected: str, failure: Exception) -> Result | str | None:
        """The result of one file of a chunk that failed, or why it has none."""
        try:
            (result,) = self.client.submit(work, [job], expected, pure=False).result()
        except Exception as again:
            if type(again).__name__ == "KilledWorker":
                return "the workers that worked on it died"
            from dfopt.workspace.internal_error import internal

            return internal(again)
        outcome: Result | None = result
        return outcome
