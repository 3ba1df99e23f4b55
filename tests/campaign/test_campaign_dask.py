"""Campaigns on a real Dask scheduler and workers, on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.running import environment

from campaign.conftest import AFTER, BEFORE, BROKEN, CLEAN, Run

pytest.importorskip("distributed", reason="the extra `dask` is part of the tests' environment")


class Cluster:
    """A scheduler and its workers, each a process of ours."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)]
        self.start("distributed.cli.dask_scheduler", *words)
        deadline = time.monotonic() + 180
        while not self.file.exists():
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)

    def start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.place / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=self.place, env=environment(), start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        words = ["--scheduler-file", str(self.file), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        return self.start(
            "distributed.cli.dask_worker", *words, "--host", "127.0.0.1", "--local-directory", str(self.place)
        )

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    place = tmp_path / "dask"
    place.mkdir()
    made = Cluster(place)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Enough files that the cluster is at work for a while; some that need the build context, some broken."""
    top = tmp_path / "many"
    for number in range(400):
        place = top / f"{number:03}"
        place.mkdir(parents=True)
        content = {0: CLEAN, 1: BROKEN}.get(number % 40, BEFORE + b"RUN echo %d\n" % number)
        if number % 40 == 2:
            content = b'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "x.js"]\n'
            (place / "package.json").write_text("{}")
        (place / "Dockerfile").write_bytes(content)
    return top


def plan(top: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dfopt", "migrate", "plan", str(top), "--isolated", "--output-format", "json"]
    return subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def result(process: subprocess.Popen[str]) -> object:
    shown, errors = process.communicate(timeout=240)
    assert process.returncode == 2, errors  # the broken files
    return json.loads(shown)


def test_a_cluster_gives_what_this_machine_gives(cluster: Cluster, many: Path) -> None:
    cluster.worker()
    cluster.worker()
    here = result(plan(many))
    there = result(plan(many, "--executor", "dask", "--scheduler", str(cluster.file)))
    assert there == here


def test_a_killed_worker_loses_nothing(cluster: Cluster, many: Path) -> None:
    here = result(plan(many))
    first = cluster.worker()
    running = plan(many, "--executor", "dask", "--scheduler", str(cluster.file))
    os.kill(first.pid, signal.SIGSTOP)  # it has work and does not get on with it ...
    time.sleep(3)
    assert running.poll() is None
    cluster.worker()
    os.kill(first.pid, signal.SIGKILL)  # ... and dies
    assert result(running) == here


def test_apply_is_done_here(cluster: Cluster, migrate: Run, repository: Path) -> None:
    cluster.worker()
    done = migrate("apply", "web", "--executor", "dask", "--scheduler", str(cluster.file))
    assert done.returncode == 0, done.stderr
    assert (repository / "web" / "Dockerfile").read_bytes() == AFTER


def test_no_scheduler(migrate: Run) -> None:
    done = migrate("plan", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in done.stderr
