"""What is told of the paths that a container wrote, and of processes, by real ones of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from dfopt.engine.containers import of_container
from dfopt.profile.document import faults, schema
from dfopt.proof import ProofError, ProofSettings
from dfopt.proof.lab import Smoke
from dfopt.proof.processes import ProcessWatch
from dfopt.proof.smoke_runs import observed_runs, written_paths
from dfopt.proof.told_paths import told_paths

SERVER = """
import socket, sys, time
tcp = socket.create_server(("127.0.0.1", 0))
print(tcp.getsockname()[1], flush=True)
time.sleep(600)
"""


def test_the_deepest_paths_are_told() -> None:
    changes = [("C", "/var"), ("C", "/var/lib"), ("A", "/var/lib/app"), ("A", "/var/lib/app/db"), ("D", "/etc/motd")]
    assert written_paths(changes) == ["-/etc/motd", "/var/lib/app/db"]


def test_many_paths_and_odd_names() -> None:
    many = [("A", f"/cache/{number}") for number in range(21)]
    assert written_paths(many) == ["/cache/*"]
    assert written_paths(many[:20]) == sorted(path for _, path in many[:20])
    assert written_paths([("A", "/a/b c"), ("A", "/a/b"), ("A", "/x y/z"), ("D", "/d/$(id)")]) == [
        "-/d/*", "/a/*", "/a/b",
    ]  # fmt: skip
    assert written_paths([("A", "/" + "n" * 500)]) == ["/*"]


def test_few_rows_of_deep_directories() -> None:
    paths = [f"/app/node_modules/m{number}/lib/{name}.js" for number in range(60) for name in ("a", "b")]
    paths += ["/app/server.js", "/app/views/index.html", "/etc/hosts"]
    assert told_paths(paths, 200) == sorted(paths)
    assert told_paths(paths, 100) == ["/app/node_modules/*", "/app/server.js", "/app/views/index.html", "/etc/hosts"]
    assert told_paths(paths, 3) == ["/app/*", "/etc/hosts"]
    assert told_paths([f"/d{number}/x" for number in range(30)], 10) == ["/*"]
    assert told_paths([], 10) == []


def test_a_directory_of_the_image_alone_says_nothing() -> None:
    changes = [("C", "/etc"), ("C", "/var"), ("A", "/var/x"), ("C", "/srv/file")]
    assert written_paths(changes, (), {"/etc", "/var"}) == ["/srv/file", "/var/x"]


def test_hidden_paths() -> None:
    paths = ["/run", "/run/secrets", "/run/secrets/key", "/run/secrets-of-app", "/k", "/k/x", "/etc", "/etc/key"]
    changes = [("A", path) for path in paths]
    assert written_paths(changes, ("/run/secrets", "/k", "/etc/key")) == ["/run/secrets-of-app"]


class Bench:
    """A laboratory whose engine tells nothing of containers, as buildah."""

    name = "buildah"

    def __init__(self, passes: bool) -> None:
        self.engine = self
        self.plan = ProofSettings(smoke="true")
        self.passes = passes

    def container_call(self, *words: str) -> None:
        return None

    def smoke(self, built: object) -> Smoke:
        return Smoke(self.passes, "status 4: no")


def test_an_engine_that_tells_nothing_of_containers() -> None:
    (run,) = observed_runs(Bench(True), None)  # type: ignore[arg-type]
    row = run.row
    assert (row["test"], row["exit_status"], row["written"], row["programs"]) == ("smoke", 0, None, None)
    assert (row["opened"], str(run.opens)) == (None, "buildah tells nothing of its containers")
    assert not list(faults([row], schema()["properties"]["runs"]))
    with pytest.raises(ProofError, match="the smoke test fails: status 4: no"):
        observed_runs(Bench(False), None)  # type: ignore[arg-type]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")
def test_a_process_is_watched() -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVER, "TOP-SECRET"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        watch = ProcessWatch(process.pid, lambda pid: pid == process.pid)
        while not watch.samples:
            time.sleep(0.01)
        watch.end()
        assert watch.programs == {os.path.realpath(sys.executable)}
        assert watch.user == f"{os.geteuid()}:{os.getegid()}"
        assert watch.listens == {f"tcp/{port}"}
        other = ProcessWatch(process.pid, lambda pid: False)  # a process of that PID on another machine was meant
        other.end()
        assert (other.samples, other.programs, other.user) == (0, set(), None)
        assert not of_container(process.pid, "0" * 64)
    finally:
        process.kill()
        process.communicate()
    gone = ProcessWatch(process.pid, lambda pid: of_container(pid, "c0ffee"))
    gone.end()
    assert gone.samples == 0
