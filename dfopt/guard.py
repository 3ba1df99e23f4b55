"""Programs that dfopt starts do not outlive it, whatever ends it: also SIGKILL, which no program can answer.

A small process, the guard, is started with the first of them. It reads which programs run from a pipe that this process
alone can write to, and ends those that still do at the pipe's end. (prctl's PR_SET_PDEATHSIG would end them with the
thread that started them.)
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# SIGINT first, so that a client can cancel what its engine does for it; then SIGKILL.
_PROGRAM = """\
import os, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
running = set()
for line in sys.stdin.buffer:
    sign, number = line[:1], int(line[1:])
    running.add(number) if sign == b"+" else running.discard(number)
def send(number):
    left = set()
    for process in running:
        try:
            os.killpg(-process, number) if process < 0 else os.kill(process, number)
            left.add(process)
        except OSError:
            pass
    return left
running = send(signal.SIGINT)
end = time.monotonic() + 3
while running and time.monotonic() < end:
    time.sleep(0.05)
    running = send(0)
send(signal.SIGKILL)
"""


class _Guard:
    """The guard of this process."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        atexit.register(self._end)

    def tell(self, sign: str, number: int) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), f"{sign}{number}\n".encode())  # as a whole: it is shorter than PIPE_BUF

    def _end(self) -> None:
        if os.getpid() == self.owner and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()


_lock = threading.Lock()
_guard: _Guard | None = None


class Guarded:
    """A program that runs, and ends with this process. `leads`: it leads a process group, and the whole group ends."""

    def __init__(self, process: subprocess.Popen[bytes], *, leads: bool) -> None:
        self.number = -process.pid if leads else process.pid
        self._tell("+")

    def __enter__(self) -> Guarded:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget()

    def forget(self) -> None:
        """It has ended."""
        self._tell("-")

    def _tell(self, sign: str) -> None:
        global _guard
        if os.name != "posix":
            return
        with _lock, suppress(OSError):  # where no guard can be started, the program runs without
            if _guard is None or _guard.owner != os.getpid():
                _guard = _Guard()
            _guard.tell(sign, self.number)


def run_guarded(
    words: Sequence[str], timeout: float, given: bytes | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """As `subprocess.run`, with all of its output captured. Raises OSError and subprocess.TimeoutExpired."""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=env,
    ) as process, Guarded(process, leads=False):  # fmt: skip
        try:
            output, errors = process.communicate(given, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, output, errors)
