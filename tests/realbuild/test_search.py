"""`dfopt fix -O3` over an engine: the smallest image that holds, what it says, and a second run that builds little."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.cli.entry import main

from .engine import Engine
from .leftovers import leftovers, set_apart

# debian:13-slim has no manual pages: a smoke test that needs one cannot hold there
TEXT = """FROM debian:13
COPY greeting /srv/
RUN dd if=/dev/zero of=/big bs=1M count=40
RUN rm /big && mkdir /data
CMD ["cat", "/srv/greeting"]
"""


@pytest.fixture
def temporary(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR; dfopt works with the tests' engine, and remembers in a directory of the test's own."""
    return set_apart(engine, tmp_path, monkeypatch)


@pytest.fixture
def file(tmp_path: Path, temporary: Path) -> Path:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "greeting").write_text("hello\n")
    dockerfile = tmp_path / "context" / "Dockerfile"
    dockerfile.write_text(TEXT)
    return dockerfile


def search(file: Path, *words: str) -> int:
    return main(["fix", "-O3", "--write", "--isolated", "--network", "host", *words, str(file)])


def test_smallest_that_holds_is_written_and_remembered(
    temporary: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--smoke", "grep hello /srv/greeting", "--output-format", "json")
    assert search(file, *words) == 0
    said = capsys.readouterr()
    proof = json.loads(said.out)["files"][0]["proof"]
    states = {row["name"]: row["state"] for row in proof["candidates"]}
    assert states["base: busybox, in one layer"] == "chosen", said.err
    assert (states["stages as they are"], states["base: slim"]) == ("larger", "larger")
    built = {row["name"]: row["layer_bytes"] for row in proof["candidates"] if row["layer_bytes"] is not None}
    assert proof["after"]["layer_bytes"] == min(built.values())
    assert proof["after"]["layer_bytes"] < 5_000_000 < 100_000_000 < proof["before"]["layer_bytes"]
    assert proof["smoke_test"]
    assert "FROM busybox" in file.read_text()
    written = file.read_text()
    file.write_text(TEXT)
    assert search(file, *words) == 0
    assert "verdicts of earlier runs" in capsys.readouterr().err
    assert file.read_text() == written
    assert leftovers(temporary) == []


def test_what_the_smoke_test_refuses_is_told(temporary: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(file, "--smoke", "test -d /usr/share/man/man1 && ls /usr/share/man/man1 | grep .") == 0
    said = capsys.readouterr().err
    assert "base: slim" in said
    assert "failed: the smoke test fails: status 1" in said
    assert "FROM debian:13\n" in file.read_text()
    assert leftovers(temporary) == []


def test_without_a_smoke_test_it_says_what_it_could_not_see(
    temporary: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(file, "--budget", "1") == 0
    said = capsys.readouterr().err
    assert "no smoke test was given" in said
    assert "the budget of builds is spent" in said


def test_smoke_test_that_fails_on_the_original_is_an_error(
    temporary: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(file, "--smoke", "exit 9") == 2
    assert "not verified: the original file fails the smoke test: status 9" in capsys.readouterr().err
    assert file.read_text() == TEXT
    assert leftovers(temporary) == []


def test_base_that_only_a_trial_can_prove(temporary: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'FROM debian:13\nCOPY run.sh /srv/\nCMD ["sh", "/srv/run.sh", "date"]\n'
    file.write_text(text)
    (file.parent / "run.sh").write_text('set -e\neval "$1"\n')
    assert search(file, "--no-cache", "--output-format", "json") == 0
    candidates = json.loads(capsys.readouterr().out)["files"][0]["proof"]["candidates"]
    assert not any("trial" in row["name"] for row in candidates)
    file.write_text(text)
    assert search(file, "--no-cache", "--smoke", "sh /srv/run.sh date", "--output-format", "json") == 0
    said = capsys.readouterr()
    document = json.loads(said.out)["files"][0]
    states = {row["name"]: row["state"] for row in document["proof"]["candidates"]}
    assert (states["base by trial: busybox"], states["base by trial: alpine"]) == ("chosen", "larger"), said.err
    assert "FROM busybox:1.37\n" in file.read_text()
    assert "the smoke test decided: line 3: what eval runs is not known" in said.out
    assert leftovers(temporary) == []


def test_what_a_trial_lacked_is_installed(
    temporary: Path, file: Path, more_bases: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The slim image has no make, which the build asks for, and no git, which the smoke test asks for."""
    more_bases("python-full")
    text = 'FROM python:3.13\nCOPY setup run.sh /srv/\nRUN eval "$(cat /srv/setup)"\nCMD ["sh", "/srv/run.sh"]\n'
    file.write_text(text)
    (file.parent / "setup").write_text("make --version >/srv/made\n")
    (file.parent / "run.sh").write_text('program=git\neval "$program --version"\n')
    (file.parent / "dfopt.toml").write_text('[passes.swap-base]\nto = "slim"\nby = "trial"\n')
    smoke = ("--smoke", "sh /srv/run.sh && grep -q GNU /srv/made")
    words = ("--verify", "--select", "swap-base", "--unsafe", "--network", "host", "--no-cache", *smoke)
    assert main(["fix", "--write", "--output-format", "json", *words, str(file)]) == 0
    said = capsys.readouterr()
    proof = json.loads(said.out)["files"][0]["proof"]
    assert proof["after"]["layer_bytes"] < proof["before"]["layer_bytes"] - 100_000_000, said.err
    install = "RUN apt-get update && apt-get install -y --no-install-recommends git make && rm -rf /var/lib/apt/lists/*"
    assert file.read_text() == text.replace("python:3.13\n", f"python:3.13-slim\n{install}\n")
    assert "git make added (a trial lacked git, make)" in said.out
    assert leftovers(temporary) == []
