"""A small monorepo, in git, and the command line over it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.running import environment

BEFORE = b"FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"
AFTER = BEFORE.replace(b"curl\n", b"curl && rm -rf /var/lib/apt/lists/*\n")
CLEAN = b"FROM scratch\nCOPY a /\n"
BROKEN = b"FROM debian\nRUM x\n"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def git(top: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(top), *words], check=True, capture_output=True, text=True).stdout


def make_repository(top: Path) -> Path:
    files = {
        "web/Dockerfile": BEFORE, "web/api/Dockerfile": BEFORE, "data/Dockerfile": BEFORE, "clean/Dockerfile": CLEAN,
        "broken/Dockerfile": BROKEN, "CODEOWNERS": b"* @org/all\n/web/ @org/web @alice\n",
    }  # fmt: skip
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    git(top, "init", "-q", "-b", "main")
    git(top, "config", "user.name", "Test")
    git(top, "config", "user.email", "test@example.org")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "start")
    return top


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo")


@pytest.fixture
def migrate(repository: Path) -> Run:
    """`dfopt migrate ...` in the repository, with one pass."""

    def call(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dfopt", "migrate", *words, "--select", "apt-cleanup", "--isolated"],
            cwd=cwd or repository, capture_output=True, text=True, check=False, timeout=300, env=environment(),
        )  # fmt: skip

    return call


@pytest.fixture
def contents(repository: Path) -> Callable[[], dict[str, bytes]]:
    def read() -> dict[str, bytes]:
        return {
            path.relative_to(repository).as_posix(): path.read_bytes()
            for path in sorted(repository.rglob("Dockerfile"))
        }

    return read
