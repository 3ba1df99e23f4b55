"""Runs an engine's command line in a separate process group, forwards its log line by line, enforces a time limit, and
leaves nothing running.

A process gets SIGINT first, so that the client can cancel what the engine does for it, then SIGTERM, then SIGKILL. The
whole group gets each signal: docker runs buildx as a child, buildah runs steps as children. The times between them are
short: an engine also cancels what a client asked for when the connection of that client breaks, and what
is left of it carries this run's mark.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress

from dfopt.engine.errors import CancelledError, EngineError, EngineTimeLimitError
from dfopt.guard import Guarded
from dfopt.record import Record
from dfopt.writing import new_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO, Any

_KEPT_LINES = 400
_KEPT_OUTPUT = 16 << 20  # bytes of standard output
_GRACE = ((signal.SIGINT, 0.5), (signal.SIGTERM, 0.1), (signal.SIGKILL, 10.0))  # seconds until the next one
_LOOK = 0.02  # seconds between two looks at a process


class Done(Record):
    """The result of a command. `code`: its exit status; `log`: the end of its standard error."""

    code: int
    output: bytes
    log: str


def described(done: Done, engine: str, name: str) -> dict[str, Any]:
    """The JSON object that describes an image. Raises EngineError for another answer."""
    try:
        document = json.loads(done.output)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise EngineError(f"{engine} describes {name} by what is no JSON object", done.log)
    return document


class _Running(Record):
    """A command that runs. `stop` ends what it waits for."""

    guarded: Guarded
    stop: Callable[[], object] | None


class Runner:
    """Runs commands, possibly from several threads; `cancel` stops those that run and prevents new ones."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = dict(os.environ if environment is None else environment)
        self._running: dict[subprocess.Popen[bytes], _Running] = {}
        self._lock = threading.Lock()
        self._cancelled = False

    def run(
        self,
        words: Sequence[str],
        timeout: float,
        progress: Callable[[str], None] | None = None,
        *,
        merged: bool = False,
        stop: Callable[[], object] | None = None,
        always: bool = False,
    ) -> Done:
        """Runs a command to its end, without standard input. `timeout`: seconds; `progress` is called with each line of
        its standard error, with `merged` also of its standard output. `stop` is called first where the command has to
        be stopped, and ends what it waits for, such as a container whose program is deaf to signals. `always`: also
        after `cancel`, for cleanup. Raises EngineError (it cannot be run), TimeLimitError or CancelledError after
        stopping it."""
        errors = subprocess.STDOUT if merged else subprocess.PIPE
        process = self._start(words, subprocess.PIPE, errors, stop, always)
        lines: deque[str] = deque(maxlen=_KEPT_LINES)
        output = bytearray()
        stream = process.stdout if merged else process.stderr
        readers = [threading.Thread(target=_read_lines, args=(stream, lines, progress), daemon=True)]
        if not merged:
            readers.append(threading.Thread(target=_read_bytes, args=(process.stdout, output), daemon=True))
        for reader in readers:
            reader.start()
        try:
            _wait(process, timeout)
        except subprocess.TimeoutExpired:
            end(process, stop)
            raise EngineTimeLimitError(
                f"{words[0]} took over {timeout:g} s and was stopped", "\n".join(lines)
            ) from None
        except BaseException:
            end(process, stop)
            raise
        finally:
            with self._lock:
                guarded = self._running.pop(process).guarded
            for reader in readers:
                reader.join(5)  # a grandchild may keep the pipe open: do not wait longer for the log
            if process.returncode is not None:
                _end_group(process.pid)
            guarded.forget()
        if self._cancelled and not always:
            raise CancelledError(f"{words[0]} was cancelled")
        return Done(process.returncode, bytes(output), "\n".join(lines))

    def start(self, words: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        """Starts a command that writes to the file `log`; the caller stops it with `stop`."""
        with new_file(log) as file:
            return self._start(words, file, subprocess.STDOUT)

    def _start(
        self,
        words: Sequence[str],
        output: int | IO[bytes],
        errors: int,
        stop: Callable[[], object] | None = None,
        always: bool = False,
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled and not always:
                raise CancelledError(f"{words[0]} was cancelled")
            try:
                process = subprocess.Popen(
                    words, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as failure:
                raise EngineError(f"{words[0]} cannot be run: {failure.strerror or failure}") from None
            self._running[process] = _Running(Guarded(process, leads=True), stop)
            return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stops what `start` started."""
        end(process)
        with self._lock:
            self._running.pop(process).guarded.forget()

    def cancel(self) -> None:
        """Stops every running command; `run` raises CancelledError in all threads from now on."""
        with self._lock:
            self._cancelled = True
            running = [(process, command.stop) for process, command in self._running.items()]
        enders = [threading.Thread(target=end, args=arguments, daemon=True) for arguments in running]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()

    def resume(self) -> None:
        """Allows commands again after `cancel`, for cleanup."""
        with self._lock:
            self._cancelled = False


def _wait(process: subprocess.Popen[bytes], timeout: float) -> None:
    """As `process.wait`, which at an interrupt waits another 0.25 s for a child that got it as well (bpo-25942): these
    are in a session of their own. Raises subprocess.TimeoutExpired."""
    end = time.monotonic() + timeout
    while process.poll() is None:
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired(process.args, timeout)
        time.sleep(_LOOK)


def end(process: subprocess.Popen[bytes], stop: Callable[[], object] | None = None) -> None:
    """Stops what a process waits for, and the process with its group, gently first."""
    if stop is not None and process.poll() is None:
        with suppress(EngineError):
            stop()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK)
    for number, seconds in _GRACE:
        if process.poll() is not None:
            break
        _signal_group(process.pid, number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    _end_group(process.pid)


def _end_group(leader: int) -> None:
    """Kills whatever the leader left behind in the group."""
    _signal_group(leader, signal.SIGKILL)


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says EPERM for a group of zombies
        os.killpg(leader, number)


def _read_lines(stream: IO[bytes], lines: deque[str], progress: Callable[[str], None] | None) -> None:
    with stream:
        for line in stream:
            text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
            lines.append(text)
            if progress is not None:
                progress(text)


def _read_bytes(stream: IO[bytes], output: bytearray) -> None:
    with stream:
        while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]
            if len(output) < _KEPT_OUTPUT:
                output += chunk
