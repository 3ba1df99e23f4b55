"""Campaigns on this machine, and the interface of executors."""

from __future__ import annotations

from dfopt.workspace.run import run_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Protocol

    from dfopt.campaign.model import FileResult
    from dfopt.campaign.task import Task
    from dfopt.workspace.discovery import InputFile

    class Executor(Protocol):
        """Runs a task over files; yields one result for each file, in order."""

        def run(self, files: Iterable[InputFile], task: Task) -> Generator[FileResult, None, None]: ...


class LocalExecutor:
    """In this process for a few files, in a pool for many. `jobs`: the number of processes; None: dfopt decides."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs

    def run(self, files: Iterable[InputFile], task: Task) -> Generator[FileResult, None, None]:
        return run_all(files, task, task.failed, self.jobs)
