"""`dfopt check --watch`: checks the files again whenever one of them changes, until interrupted.

It polls the modification times of the files found and of the configuration twice a second. Nothing else works the same
on every system, in containers and on network shares.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.workspace.config import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dfopt.workspace.discovery import InputFile

INTERVAL = 0.5  # seconds


def watch(find: Callable[[], Iterable[InputFile]], check: Callable[[], int]) -> int:
    """Runs `check` now and after every change to the files that `find` returns, until interrupted. A configuration that
    becomes invalid is reported and read again when it changes. Raises UsageError if it is invalid at the start."""
    find, last = _patient(find), list(find())
    while True:
        before = _state(last)
        try:
            check()
        except UsageError as failure:
            out.error(str(failure))
        out.note("dfopt: waiting for changes; interrupt to quit\n")
        out.flush()
        while True:
            last = list(find())
            if _state(last) != before:
                break
            time.sleep(INTERVAL)
        out.note(f"dfopt: {time.strftime('%H:%M:%S')}: something changed\n")


def _patient(find: Callable[[], Iterable[InputFile]]) -> Callable[[], list[InputFile]]:
    """`find`, which repeats its last result while the configuration is invalid."""
    last: list[InputFile] = []

    def call() -> list[InputFile]:
        nonlocal last
        with suppress(UsageError):
            last = list(find())
        return last

    return call


def _state(files: Iterable[InputFile]) -> dict[str, tuple[int, int, int]]:
    """Path -> modification time, size and inode of Dockerfiles and of the configuration files that may apply to them;
    all zero for files that do not exist."""
    state: dict[str, tuple[int, int, int]] = {}
    for file in files:
        state[file.path] = _stamp(file.path)
        directory = os.path.dirname(os.path.abspath(file.path))
        while True:
            first = os.path.join(directory, NAMES[0])
            if first in state:
                break
            for name in NAMES:
                path = os.path.join(directory, name)
                state[path] = _stamp(path)
            parent = os.path.dirname(directory)
            if parent == directory:
                break
            directory = parent
    return state


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return status.st_mtime_ns, status.st_size, status.st_ino
