"""Runs inputs in child processes that live for some inputs each: what kills, hangs or leaks is told from them."""

from __future__ import annotations

import os
import pickle
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.tools.fuzz.execution import Execution, _place
from tests.tools.fuzz.model import Input, Outcome

WALL = 90.0  # seconds for one input: for what waits without working
TOGETHER = 30  # inputs for one child


class Session:
    """A working directory, the registry's process, and the children."""

    def __init__(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="dfopt-fuzz-"))
        self.trace = self.work / "trace"
        command = [sys.executable, "-m", "tests.tools.fuzz.registry", str(self.work / "current")]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert self.server.stdout is not None
        self.registry = f"127.0.0.1:{int(self.server.stdout.readline())}"

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill()
        self.server.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, inputs: Sequence[Input]) -> Iterator[Outcome]:
        """The outcome of each input, in order."""
        at = 0
        while at < len(inputs):
            outcomes = self._child(inputs[at : at + TOGETHER])
            yield from outcomes
            at += len(outcomes)

    def _child(self, inputs: Sequence[Input]) -> list[Outcome]:
        """Runs inputs in one child, up to the one that ends it."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setsid()
                os.close(reading)
                execution = Execution(self.work, self.registry, self.trace)
                for given in inputs:
                    message = pickle.dumps(execution.run(given))
                    os.write(writing, struct.pack("!I", len(message)) + message)
                code = 0
            except BaseException:
                sys.__stderr__ and os.write(writing, struct.pack("!I", 0))
                raise
            finally:
                os._exit(code)
        os.close(writing)
        outcomes: list[Outcome] = []
        try:
            while len(outcomes) < len(inputs):
                message = _message(reading, WALL)
                if message is None:
                    os.kill(child, signal.SIGABRT)
                    break
                if not message:
                    break
                outcomes.append(pickle.loads(message))
        finally:
            os.close(reading)
            status = os.waitstatus_to_exitcode(_end(child))
        if len(outcomes) < len(inputs):
            outcomes.append(self._killed(inputs[len(outcomes)], status))
        else:
            left = _members(child)
            if left:
                last = outcomes[-1]
                outcomes[-1] = Outcome(last.status, "a process stays", " ".join(left), last.messages, last.cpu)
        for pid in _members(child):
            os.kill(int(pid.split()[0]), signal.SIGKILL)
        for leftover in self.work.glob(f"{child}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        return outcomes

    def _killed(self, given: Input, status: int) -> Outcome:
        text = self.trace.read_bytes().decode("utf-8", "replace")
        newest = text.rpartition("most recent call first")[2]
        where = _place("\n".join(reversed(newest.splitlines())))
        if status == -signal.SIGXCPU:
            return Outcome(status, f"hang (CPU time) {where}", text[-6000:])
        if status == -signal.SIGABRT:
            return Outcome(status, f"hang (waits) or abort {where}", text[-6000:])
        return Outcome(status, f"ended by {status} {where}", text[-6000:])


def _message(reading: int, seconds: float) -> bytes | None:
    """The next message of a child; b"" at its end, None when it is late."""
    header = _exactly(reading, 4, time.monotonic() + seconds)
    if not header:
        return header
    (length,) = struct.unpack("!I", header)
    return _exactly(reading, length, time.monotonic() + 30) if length else b""


def _exactly(reading: int, length: int, until: float) -> bytes | None:
    data = b""
    while len(data) < length:
        if not select.select([reading], [], [], max(0.0, until - time.monotonic()))[0]:
            return None
        piece = os.read(reading, length - len(data))
        if not piece:
            return b""
        data += piece
    return data


def _end(child: int) -> int:
    """The status of a child, which is ended if it does not end by itself."""
    for _ in range(200):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _members(session: int) -> list[str]:
    """The processes of a session that run, but for those that end within a second."""
    left: list[str] = []
    for _ in range(20):
        left = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                    if int(fields[3]) == session and fields[0] not in "ZX":
                        left.append(f"{entry} {Path('/proc', entry, 'cmdline').read_bytes()[:100]!r}")
                except OSError:
                    continue
        if not left:
            break
        time.sleep(0.05)
    return left
