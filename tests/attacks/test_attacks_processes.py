"""No worker outlives the process that started it; a worker that dies takes its own file with it alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.running import command, dfopt, environment

from dfopt.workspace.orphans import Leash


def alive(group: int) -> list[str]:
    """The processes of a process group, but for those that have ended and wait to be asked."""
    found: list[str] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(entry)
    return found


def until(condition: object, what: str) -> None:
    """Waits for what must come, as long as a machine under load may take."""
    assert callable(condition)
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(what)


@contextmanager
def heard(number: signal.Signals) -> Iterator[None]:
    """What is started here does not ignore a signal: a shell has programs in the background ignore two, nohup a third,
    and the tests hand that on."""
    if number is signal.SIGKILL:
        yield
        return
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_whatever_ends_the_parent(tmp_path: Path, sent: signal.Signals) -> None:
    for number in range(600):
        (tmp_path / f"{number:03}.dockerfile").write_bytes(b"FROM a\nRUN wait\n")
    with heard(sent):
        process = subprocess.Popen(
            command("check", "--no-cache", "-j", "3", "."), cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: len(alive(process.pid)) >= 3, "no workers were started")
        process.send_signal(sent)
        assert process.wait() not in (0, 1), "it went on to its end"
        until(lambda: not alive(process.pid), f"workers outlive {sent.name}")
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def _hold(leash: Leash, ready: str) -> None:
    leash.hold()
    Path(ready).touch()
    time.sleep(600)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_without_the_kernels_help(tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe alone, as on other systems: several workers, each of which inherits what the parent has open."""
    child = os.fork()
    if child == 0:
        try:
            sys.platform = "other"
            context = multiprocessing.get_context(method)
            leash = Leash()
            workers = [
                context.Process(target=_hold, args=(leash, str(tmp_path / f"ready{number}"))) for number in range(3)
            ]
            for worker in workers:
                worker.start()
            (tmp_path / "pids").write_text(" ".join(str(worker.pid) for worker in workers))
            time.sleep(600)
        finally:
            os._exit(1)
    until(lambda: len(list(tmp_path.glob("ready*"))) == 3, "no workers were started")
    pids = (tmp_path / "pids").read_text().split()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: not [pid for pid in pids if _runs(pid)], "workers outlive their parent")


def _runs(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_worker_that_dies_names_its_file(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"{number:03}.dockerfile").write_bytes(b"FROM a\nRUN old\n")
    (tmp_path / "200.dockerfile").write_bytes(b"FROM a\nRUN die\n")
    done = dfopt("fix", "--write", "--no-cache", "-j", "2", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert b"200.dockerfile: error: the process that worked on it died" in done.stderr
    written = [path for path in tmp_path.iterdir() if path.read_bytes() == b"FROM a\nRUN new\n"]
    assert len(written) == 399


STARTS = {
    "client": "Runner().run(['stand-in'], 600)",
    "client-in-a-thread": "Thread(target=Runner().run, args=(['stand-in'], 600)).start()",
    "container": "Runner().start(['stand-in'], 'log'); time.sleep(600)",
    "helper": "ask_helper('stand-in', 'example.org', os.environ, 600)",
    "save": "read_from_engine('docker', 'x')",
    "git": "repository_of('.').check()",
}
PRELUDE = """
import os, time
from threading import Thread
from dfopt.engine.process import Runner
from dfopt.image.engines import read_from_engine
from dfopt.registry.helpers import ask_helper
from dfopt.workspace.git import repository_of
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("obeys", [True, False])
def test_programs_end_with_what_started_them(tmp_path: Path, start: str, obeys: bool) -> None:
    """Stand-ins for clients, helpers and git, which wait; one that ignores SIGINT is killed."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("stand-in", "docker-credential-stand-in", "docker", "git"):
        program = tmp_path / "bin" / name
        trap = "" if obeys else "trap '' INT TERM; "
        program.write_text(f"#!/bin/sh\n{trap}echo $$ >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid\n"
                           "while :; do sleep 0.2; done\n")  # fmt: skip
        program.chmod(0o755)
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    parent = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + STARTS[start]], cwd=tmp_path, env=environment(PATH=path),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    pid = ""
    try:
        until((tmp_path / "pid").exists, "no stand-in was started")
        pid = (tmp_path / "pid").read_text().strip()
        guard = f"/proc/{parent.pid}/task/{parent.pid}/children"
        until(lambda: len(Path(guard).read_text().split()) >= 2 or "thread" in start, "no guard was started")
        time.sleep(0.2)
        assert _runs(pid)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not _runs(pid), "a stand-in outlives its parent")


def test_the_guard_ends_with_a_run_that_ends(tmp_path: Path) -> None:
    code = PRELUDE + "Runner().run(['true'], 60); from dfopt import guard; print(guard._guard.process.pid)"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, check=True)
    assert not _runs(done.stdout.decode().strip())
    assert done.stderr == b""
