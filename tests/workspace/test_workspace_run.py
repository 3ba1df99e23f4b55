"""One task over many files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from dfopt.workspace import run
from dfopt.workspace.discovery import InputFile
from dfopt.workspace.run import FileOutcome, run_all


def files(number: int) -> Iterator[InputFile]:
    return (InputFile(f"f{index}", f"f{index}", "") for index in range(number))


def task(file: InputFile) -> FileOutcome:
    number = int(file.name[1:])
    if number % 50 == 7:
        raise RecursionError("too deep\nto tell")
    if number % 32 == 3:
        time.sleep(0.002)  # results come late, in any order
    return FileOutcome(out=file.name, notes=str(os.getpid()))


def failed(file: InputFile, message: str) -> FileOutcome:
    return FileOutcome(out=f"{file.name}: {message}", status=2)


def outputs(number: int, jobs: int | None) -> list[str]:
    return [outcome.out for outcome in run_all(files(number), task, failed, jobs)]


@pytest.mark.parametrize("jobs", [None, 1, 2, 3])
@pytest.mark.parametrize("number", [0, 1, run.SERIAL - 1, run.SERIAL, run.SERIAL + 1, 1000])
def test_every_file_once_in_order(number: int, jobs: int | None) -> None:
    got = outputs(number, jobs)
    assert [text.partition(":")[0] for text in got] == [f"f{index}" for index in range(number)]
    failures = [text for text in got if ":" in text]
    assert len(failures) == sum(index % 50 == 7 for index in range(number))
    for text in failures:
        assert "internal error: RecursionError: too deep to tell" in text


@pytest.mark.parametrize(
    ("number", "jobs", "processes"),
    [(run.SERIAL - 1, 2, 1), (run.SERIAL * 3, 1, 1), (run.SERIAL * 3, 2, 2)],
    ids=["few", "one-job", "many"],
)
def test_processes(number: int, jobs: int, processes: int) -> None:
    pids = {outcome.notes for outcome in run_all(files(number), task, failed, jobs) if outcome.notes}
    assert len(pids) <= processes
    assert (pids == {str(os.getpid())}) is (processes == 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_are_read_as_they_are_needed(jobs: int) -> None:
    """The list of files is never held: at any time only a window of it was taken."""
    taken = 0

    def watched() -> Iterator[InputFile]:
        nonlocal taken
        for file in files(5000):
            taken += 1
            yield file

    ahead = 0
    for done, _ in enumerate(run_all(watched(), task, failed, jobs), 1):
        ahead = max(ahead, taken - done)
    assert taken == 5000
    assert ahead <= run.SERIAL + run.CHUNK * run.AHEAD * jobs


def test_leaving_early_ends_the_workers() -> None:
    outcomes = run_all(files(2000), task, failed, 2)
    pids = {next(outcomes).notes for _ in range(5)}
    outcomes.close()
    for pid in pids - {""}:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_developer_can_have_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFOPT_TRACEBACK", "1")
    with pytest.raises(RecursionError):
        outputs(8, 1)
