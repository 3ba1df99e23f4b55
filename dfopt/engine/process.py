"""Runs an engine's command line in a separate process group, forwards its log line by line, enforces a time limit, and
leaves nothing running.

A process gets SIGINT first, so that the client can cancel what the engine does for it, then SIGTERM, then SIGKILL. The
whole group gets each signal: docker runs buildx as a child, buildah runs steps as children.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
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
_GRACE = ((signal.SIGINT, 10.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 10.0))  # seconds until the next one


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


class Runner:
    """Runs commands, possibly from several threads; `cancel` stops those that run and prevents new ones."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = dict(os.environ if environment is None else environment)
        self._running: dict[subprocess.Popen[bytes], Guarded] = {}
        self._lock = threading.Lock()
        self._cancelled = False

    def run(
        self,
        words: Sequence[str],
        timeout: float,
        progress: Callable[[str], None] | None = None,
        *,
        merged: bool = False,
    ) -> Done:
        """Runs a command to its end, without standard input. `timeout`: seconds; `progress` is called with each line of
        its standard error, with `merged` also of its standard output. Raises EngineError (it cannot be run),
        TimeLimitError or CancelledError after stopping it."""
        process = self._start(words, subprocess.PIPE, subprocess.STDOUT if merged else subprocess.PIPE)
        lines: deque[str] = deque(maxlen=_KEPT_LINES)
        output = bytearray()
        stream = process.stdout if merged else process.stderr
        readers = [threading.Thread(target=_read_lines, args=(stream, lines, progress), daemon=True)]
        if not merged:
            readers.append(threading.Thread(target=_read_bytes, args=(process.stdout, output), daemon=True))
        for reader in readers:
            reader.start()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            end(process)
            raise EngineTimeLimitError(
                f"{words[0]} took over {timeout:g} s and was stopped", "\n".join(lines)
            ) from None
        except BaseException:
            end(process)
            raise
        finally:
            with self._lock:
                guarded = self._running.pop(process)
            for reader in readers:
                reader.join(5)  # a grandchild may keep the pipe open: do not wait longer for the log
            if process.returncode is not None:
                _end_group(process.pid)
            guarded.forget()
        if self._cancelled:
            raise CancelledError(f"{words[0]} was cancelled")
        return Done(process.returncode, bytes(output), "\n".join(lines))

    def start(self, words: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        """Starts a command that writes to the file `log`; the caller stops it with `stop`."""
        with new_file(log) as file:
            return self._start(words, file, subprocess.STDOUT)

    def _start(self, words: Sequence[str], output: int | IO[bytes], errors: int) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise CancelledError(f"{words[0]} was cancelled")
            try:
                process = subprocess.Popen(
                    words, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as failure:
                raise EngineError(f"{words[0]} cannot be run: {failure.strerror or failure}") from None
            self._running[process] = Guarded(process, leads=True)
            return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stops what `start` started."""
        end(process)
        with self._lock:
            self._running.pop(process).forget()

    def cancel(self) -> None:
        """Stops every running command; `run` raises CancelledError in all threads from now on."""
        with self._lock:
            self._cancelled = True
            running = list(self._running)
        for process in running:
            end(process)

    def resume(self) -> None:
        """Allows commands again after `cancel`, for cleanup."""
        with self._lock:
            self._cancelled = False


def end(process: subprocess.Popen[bytes]) -> None:
    """Stops a process and its group, gently first."""
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
