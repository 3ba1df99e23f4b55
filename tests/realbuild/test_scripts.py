"""The scripts that start and stop services: side by side with others, after a crash, and down to the last process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .engine import HERE, Engine, EngineError, PrivateEngine
from .plugin import require
from .synthetic import archive, entry


@pytest.fixture
def home(may_start_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for an engine of the test's own, beside the one that all tests share; its path is short for sockets."""
    with tempfile.TemporaryDirectory(prefix="dfopt-") as directory:
        monkeypatch.setenv("DFOPT_REALBUILD_HOME", directory)
        yield Path(directory)
        subprocess.run([HERE / "stop-dockerd.sh"], check=True, timeout=120)


def _pids(home: Path) -> list[int]:
    """Processes with this home in their command line: the daemon and its containerd."""
    needle = os.fsencode(home)
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue  # ended meanwhile
            if needle in line and (b"--data-root" in line or b"containerd.toml" in line):
                found.append(int(process.name))
    return found


def _answers(address: str) -> bool:
    return subprocess.run(["docker", "--host", address, "version"], capture_output=True, timeout=120).returncode == 0


def test_last_user_stops_the_engine(home: Path) -> None:
    first, second = PrivateEngine(), PrivateEngine()
    try:
        address = first.start(bases=())
        daemons = _pids(home)
        assert second.start(bases=()) == address
        assert _pids(home) == daemons
        first.stop()
        assert _answers(address)
        second.stop()
        assert not _answers(address)
    finally:
        first.stop()
        second.stop()
    assert daemons
    assert _pids(home) == []
    assert str(home) not in Path("/proc/self/mounts").read_text()


def test_start_after_a_crash(home: Path) -> None:
    engine = PrivateEngine()
    try:
        address = engine.start(bases=())
        os.kill(int((home / "docker" / "pid").read_text()), signal.SIGKILL)
        assert engine.start(bases=()) == address
        assert _answers(address)
    finally:
        engine.stop()
    assert _pids(home) == []


def test_start_without_layers_that_the_build_cache_names(home: Path, tmp_path: Path) -> None:
    """As a daemon leaves it that was stopped at the wrong moment: the cache names layers that are not there."""
    text = b"FROM scratch\nCOPY one /\nCOPY two /\n"
    (tmp_path / "one").write_text("1")
    private = PrivateEngine()
    try:
        for two in ("2", "3"):
            (tmp_path / "two").write_text(two)
            engine = Engine(private.start(bases=()))
            try:
                engine.build(tmp_path, text, cached=True)
            finally:
                engine.close()
                private.stop()
            for layer in (home / "docker" / "data" / "overlay2").iterdir():
                shutil.rmtree(layer)
    finally:
        private.stop()


def test_stale_pid_of_another_program_is_spared(home: Path) -> None:
    (home / "docker").mkdir()
    with subprocess.Popen(["sleep", "600"]) as other:
        try:
            (home / "docker" / "pid").write_text(str(other.pid))
            subprocess.run([HERE / "stop-dockerd.sh"], check=True, timeout=120)
            assert other.poll() is None
        finally:
            other.kill()
    assert not (home / "docker" / "pid").exists()


def test_start_that_fails_says_why(home: Path) -> None:
    (home / "docker").mkdir()
    (home / "docker" / "data").write_text("in the way")
    engine = PrivateEngine()
    try:
        with pytest.raises(EngineError, match=r"start-dockerd\.sh ended with status 1:\n.*data"):
            engine.start(bases=())
    finally:
        engine.stop()
        (home / "docker" / "data").unlink()


def test_home_too_long_for_sockets(may_start_engine: None, tmp_path: Path) -> None:
    env = {**os.environ, "DFOPT_REALBUILD_HOME": str(tmp_path / ("x" * 60))}
    done = subprocess.run([HERE / "start-dockerd.sh"], env=env, capture_output=True, timeout=120)
    assert done.returncode == 1
    assert b"too long for sockets" in done.stderr


def test_unknown_base() -> None:
    done = subprocess.run(
        [HERE / "make-bases.sh", "windows"],
        env={**os.environ, "DOCKER_HOST": "unix:///none"},
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert b"no base 'windows'" in done.stderr


@pytest.mark.parametrize("password", [None, "secret"], ids=["open", "with a password"])
def test_registry(tmp_path: Path, password: str | None) -> None:
    require("docker-registry", "skopeo", "htpasswd")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(HERE / "serve-registry.sh"), str(port), str(tmp_path / "registry")]
    credentials = []
    if password:
        table = subprocess.run(["htpasswd", "-nbB", "user", password], check=True, stdout=subprocess.PIPE, timeout=120)
        (tmp_path / "htpasswd").write_bytes(table.stdout)
        command.append(str(tmp_path / "htpasswd"))
        credentials = [f"--creds=user:{password}"]
    image = archive(tmp_path / "image.tar", [entry("file", b"content")], config={"config": {}})
    pid = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=120).stdout)
    try:
        name = f"docker://127.0.0.1:{port}/a/b:c"
        push = ["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"docker-archive:{image}", name]
        refused = subprocess.run(push, capture_output=True, timeout=120).returncode != 0
        assert refused == bool(password)
        if password:
            subprocess.run([*push[:3], f"--dest-creds=user:{password}", *push[3:]], check=True, timeout=120)
        inspect = ["skopeo", "inspect", "--tls-verify=false", *credentials, "--format={{.Digest}}", name]
        digest = subprocess.run(inspect, check=True, stdout=subprocess.PIPE, timeout=120).stdout
        assert digest.startswith(b"sha256:")
    finally:
        os.kill(pid, signal.SIGTERM)


def test_registry_on_a_taken_port(tmp_path: Path) -> None:
    require("docker-registry")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [str(HERE / "serve-registry.sh"), str(taken.getsockname()[1]), str(tmp_path / "registry")]
        done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 1
    assert b"address already in use" in done.stderr
