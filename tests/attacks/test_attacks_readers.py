"""FIFOs, sockets, devices and files without end, under every name that a run reads: it says so, or goes on without."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.files import read_named, read_regular

GOOD = b"FROM debian:13\nCOPY requirements.txt /\nRUN apt-get update && apt-get install -y curl\n"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)  # the length of a socket's name is limited
        server.bind(path.name)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing: sparse


KINDS = {"fifo": fifo, "device": endless, "socket": bound, "huge": huge}
# file -> (command, exit code)
NAMES = {
    "Dockerfile": (("check", "Dockerfile"), 2),
    ".gitignore": (("check", "."), 1),
    ".git/info/exclude": (("check", "."), 1),
    ".dockerignore": (("check", "."), 1),
    "svc/Dockerfile.dockerignore": (("check", "."), 1),
    "requirements.txt": (("check", "."), 1),
    "base/Dockerfile": (("check", "svc/Dockerfile"), 1),
    "dfopt.lock": (("pin", "--offline", "."), 2),
    "CODEOWNERS": (("migrate", "apply", "--by", "owner", "--patch", "patches", "."), 0),
    "baseline.json": (("check", "--baseline", "baseline.json", "."), 2),
    "given.toml": (("check", "--config", "given.toml", "."), 2),
    "recipes/own.toml": (("fix", "--config", "uses-recipes.toml", "--recipe", "own", "--check", "."), 2),
    "image.tar": (("review", "image.tar"), 2),
    ".dive-ci": (("review", "--dive-ci", ".dive-ci", "image.tar"), 2),
    "message.j2": (("migrate", "apply", "--branch", "x", "--message", "message.j2", "."), 2),
    "journal": (("migrate", "apply", "--journal", "journal", "--patch", "patches", "."), 2),
    "compose.yaml": (("check", "--hosts", "compose", "compose.yaml"), 2),
    "golden/merge-run/case/case.toml": (("test", "golden"), 2),
    "golden/merge-run/case/expected.txt": (("test", "golden"), 2),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git" / "info").mkdir(parents=True)
    for name in ("svc/Dockerfile", "golden/merge-run/case/Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "svc" / "requirements.txt").write_bytes(b"flask\n")
    (tmp_path / "uses-recipes.toml").write_bytes(b'[recipes]\npath = "recipes"\n')
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_run_ends(repository: Path, name: str, kind: str) -> None:
    words, status = NAMES[name]
    if name == "CODEOWNERS" and kind == "huge":
        status = 2  # who owns what is not known; with the others, git has no such file, and nobody owns anything
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](path)
    done = dfopt(*words, cwd=repository, driven=False)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert b"internal error" not in done.stderr
    if status == 2:
        assert done.stderr.strip()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [read_regular, read_named])
def test_the_reader(tmp_path: Path, kind: str, read: Callable[[str], bytes]) -> None:
    KINDS[kind](tmp_path / "file")
    with pytest.raises(OSError, match=r"not a regular file|larger than 16777216 bytes"):
        read(str(tmp_path / "file"))


def test_limits(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(str(tmp_path / "link"), 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular(str(tmp_path / "file"), 4)
    assert b"python" in read_regular("/proc/self/cmdline")  # its size is told as 0
    with pytest.raises(OSError, match="not a file name"):
        read_regular("a\0b")
    with pytest.raises(IsADirectoryError):
        read_regular(str(tmp_path))
