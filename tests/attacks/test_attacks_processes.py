"""No worker outlives the process that started it; a worker that dies takes its own file with it alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_whatever_ends_the_parent(tmp_path: Path, sent: signal.Signals) -> None:
    for number in range(600):
        (tmp_path / f"{number:03}.dockerfile").write_bytes(b"FROM a\nRUN wait\n")
    process = subprocess.Popen(
        command("check", "--no-cache", "-j", "3", "."), cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: len(alive(process.pid)) >= 3, "no workers were started")
        process.send_signal(sent)
        process.wait()
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
