"""One task over many files: in this process for a few, in a pool for many; results in order, memory flat."""

from __future__ import annotations

import gc
import os

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from concurrent.futures import Future, ProcessPoolExecutor
    from typing import Any, TypeVar

    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.orphans import Leash

    T = TypeVar("T")

SERIAL = 300  # files; below this a pool costs more than it saves
CHUNK = 16  # files per message to a worker
AHEAD = 3  # chunks in flight per worker
GC_THRESHOLD = 20_000  # objects: few cycles are made per file, so that Python's 700 only costs time


class FileOutcome(Record):
    """What one file gave.

    out     text for standard output (in the report's form, without what stands between files)
    patch   its part of a patch file
    notes   whole lines for standard error
    status  the exit code that this file alone would give
    counts  what to add to the totals
    once    lines for standard error that are shown once in a run (a configuration that many files share)
    written whether the file was written
    name    of the file, and `passes`: its findings by pass, where the command asks for them
    key     what to keep this outcome under in the cache; b"": nowhere
    refusals  what was left alone, where the command lists that by group: rows as in `RefusalGroups.add`
    trace   what was asked of the outside for it, with digests of the answers (`workspace.fact_trace`): an outcome with
            a key holds for as long as these answers do
    needs   what the file needs of its build context (`workspace.context.needs_of`), where that was asked for
    undo    of a file that was written, its line in the journal (`workspace.undo`)
    """

    out: str = ""
    patch: str = ""
    notes: str = ""
    status: int = 0
    counts: Mapping[str, int] = {}
    once: str = ""
    written: bool = False
    name: str = ""
    passes: Mapping[str, int] = {}
    key: bytes = b""
    refusals: tuple[tuple[str, ...], ...] = ()
    undo: str = ""
    trace: tuple[tuple[str, ...], ...] = ()
    needs: tuple[tuple[str, bool], ...] | None = None


def run_all(
    files: Iterable[InputFile], task: Callable[[InputFile], T], failed: Callable[[InputFile, str], T], jobs: int | None
) -> Generator[T, None, None]:
    """The outcomes in the order of the files. No file ends the run: `failed` makes the outcome of one whose task
    raised, or took a worker process down with it. `jobs`: None leaves the number of processes to dfopt.

    Task and `failed` must be picklable where there is a pool; a task sees no state of earlier files of the run.
    """
    workers = _processors() if jobs is None else jobs
    if workers == 1:
        yield from _serial(files, task, failed)
        return
    remaining = iter(files)
    first: list[InputFile] = []
    for file in remaining:
        first.append(file)
        if len(first) == SERIAL:
            break
    if len(first) < SERIAL:
        yield from _serial(first, task, failed)
        return
    yield from _pooled(_chunks(first, remaining), task, failed, workers)


def guarded(task: Callable[[InputFile], T], failed: Callable[[InputFile, str], T], file: InputFile) -> T:
    """`task(found)`, or the outcome of its failure."""
    try:
        return task(file)
    except Exception as failure:
        if os.environ.get("DFOPT_TRACEBACK"):
            raise
        from dfopt.workspace.internal_error import internal

        return failed(file, internal(failure))


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def _serial(
    files: Iterable[InputFile], task: Callable[[InputFile], T], failed: Callable[[InputFile, str], T]
) -> Iterator[T]:
    for file in files:
        yield guarded(task, failed, file)


def _chunks(first: list[InputFile], remaining: Iterator[InputFile]) -> Iterator[list[InputFile]]:
    chunk: list[InputFile] = []
    for source in (first, remaining):
        for file in source:
            chunk.append(file)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


_task: tuple[Callable[[InputFile], Any], Callable[[InputFile, str], Any]] | None = None


def _start(task: Callable[[InputFile], Any], failed: Callable[[InputFile, str], Any], leash: Leash) -> None:
    """In a worker: keeps the task. An interrupt is the parent's business; here, the file at hand is the last one."""
    import signal

    global _task
    leash.hold()
    gc.set_threshold(GC_THRESHOLD)
    _task = task, failed
    signal.signal(signal.SIGINT, _interrupt)
    unblock = getattr(signal, "pthread_sigmask", None)  # `_submit` blocked it
    if unblock:
        unblock(signal.SIG_UNBLOCK, (signal.SIGINT,))


_interrupted = False


def _interrupt(*_: object) -> None:
    global _interrupted
    _interrupted = True


def _submit(executor: ProcessPoolExecutor, chunk: list[InputFile]) -> Future[list[Any]]:
    """Submits a chunk. A pool that is broken already gives a future that says so."""
    import signal
    from concurrent.futures import Future
    from concurrent.futures.process import BrokenProcessPool

    block = getattr(signal, "pthread_sigmask", None)  # until `_start` ran, a worker must not see an interrupt either
    before = block(signal.SIG_BLOCK, (signal.SIGINT,)) if block else None
    try:
        return executor.submit(_work, chunk)
    except BrokenProcessPool as failure:
        broken: Future[list[Any]] = Future()
        broken.set_exception(failure)
        return broken
    finally:
        if block:
            block(signal.SIG_SETMASK, before)


def _work(chunk: list[InputFile]) -> list[Any]:
    assert _task is not None
    return [_task[1](file, "interrupted") if _interrupted else guarded(*_task, file) for file in chunk]


def _pooled(
    chunks: Iterator[list[InputFile]],
    task: Callable[[InputFile], T],
    failed: Callable[[InputFile, str], T],
    workers: int,
) -> Iterator[T]:
    from collections import deque
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    from dfopt.workspace.orphans import Leash

    leash = Leash()

    def pool(size: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(size, initializer=_start, initargs=(task, failed, leash))

    executor = pool(workers)
    waiting: deque[tuple[list[InputFile], Future[list[Any]]]] = deque()
    try:
        while True:
            while len(waiting) < workers * AHEAD:
                chunk = next(chunks, None)
                if chunk is None:
                    break
                waiting.append((chunk, _submit(executor, chunk)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            try:
                outcomes = future.result()
            except BrokenProcessPool:
                executor.shutdown(wait=True, cancel_futures=True)
                yield from _one_by_one(chunk, pool, failed)
                executor = pool(workers)
                waiting = deque((late, _submit(executor, late)) for late, _ in waiting)
                continue
            yield from outcomes
    finally:  # running chunks end in peace, so that no write is cut off
        executor.shutdown(wait=True, cancel_futures=True)
        leash.close()


def _one_by_one(
    chunk: list[InputFile], pool: Callable[[int], ProcessPoolExecutor], failed: Callable[[InputFile, str], T]
) -> Iterator[T]:
    """A worker died on this chunk: each file gets its own process, to find the one that kills it."""
    from concurrent.futures.process import BrokenProcessPool

    for file in chunk:
        with pool(1) as executor:
            try:
                outcomes = _submit(executor, [file]).result()
            except BrokenProcessPool:
                outcomes = [failed(file, "the process that worked on it died")]
        yield from outcomes
