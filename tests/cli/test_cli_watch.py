"""`check --watch`, as a person uses it."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import command, dfopt, environment

BEFORE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends {}\n"


class Watching:
    """A running `check --watch` and what it has printed."""

    def __init__(self, place: Path) -> None:
        words = command("check", "--watch", "--select", "apt-cleanup", "--output-format", "concise", driven=False)
        self.process = subprocess.Popen(
            words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
        )
        self.text = ""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def wait(self, text: str, times: int) -> None:
        deadline = time.monotonic() + 180
        while self.text.count(text) < times:
            assert time.monotonic() < deadline, f"{text!r} did not come {times} times in:\n{self.text}"
            time.sleep(0.05)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    (tmp_path / "Dockerfile").write_text(BEFORE.format("curl"))
    made = Watching(tmp_path)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_changes_are_seen(tmp_path: Path, watching: Watching) -> None:
    watching.wait("waiting for changes", 1)
    assert watching.text.count("apt-cleanup[safe]") == 1
    (tmp_path / "b.Dockerfile").write_text(BEFORE.format("git"))  # a new file
    watching.wait("waiting for changes", 2)
    assert "b.Dockerfile:2:1: apt-cleanup[safe]" in watching.text
    (tmp_path / "dfopt.toml").write_text('exclude = ["b.Dockerfile"]\n')  # configuration
    watching.wait("waiting for changes", 3)
    assert "1 finding in 1 file" in watching.text.rpartition("something changed")[2]
    (tmp_path / "dfopt.toml").write_text("exclude = 1\n")  # broken: told, and waited for
    watching.wait("waiting for changes", 4)
    assert "dfopt.toml:1:1: exclude: must be a list of strings" in watching.text
    (tmp_path / "dfopt.toml").unlink()
    watching.wait("waiting for changes", 5)
    assert "2 findings in 2 files" in watching.text.rpartition("something changed")[2]
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(180) == 130


def test_standard_input_cannot_be_watched(tmp_path: Path) -> None:
    done = dfopt("check", "-", "--watch", cwd=tmp_path, driven=False)
    assert done.returncode == 2
