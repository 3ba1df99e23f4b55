"""`check` with a baseline, and with counts by pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.running import dfopt

ONE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"
TWO = ONE + "RUN apt-get update && apt-get install -y --no-install-recommends git\n"
FIXED = ONE.replace("curl\n", "curl && rm -rf /var/lib/apt/lists/*\n")
Check = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def call(*words: str, cwd: Path | None = None) -> tuple[int, str, str]:
        done = dfopt("check", *words, "--select", "apt-cleanup", cwd=cwd or tmp_path, driven=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


@pytest.fixture
def tree(tmp_path: Path, check: Check) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(ONE)
    assert check("--baseline", "base.json", "--update-baseline")[:2] == (0, "")
    assert json.loads((tmp_path / "base.json").read_text()) == {
        "version": 1, "files": {"a/Dockerfile": {"apt-cleanup": 1}, "b/Dockerfile": {"apt-cleanup": 1}}
    }  # fmt: skip
    return tmp_path


def test_what_is_known_is_silent(tree: Path, check: Check) -> None:
    code, shown, errors = check("--baseline", "base.json")
    assert (code, shown) == (0, "")
    assert "2 in the baseline" in errors
    assert check()[0] == 1
    assert check("--baseline", "../base.json", cwd=tree / "a")[0] == 0  # from anywhere


def test_one_more_is_heard(tree: Path, check: Check) -> None:
    (tree / "a" / "Dockerfile").write_text(TWO)
    code, shown, _ = check("--baseline", "base.json", "--output-format", "concise")
    assert code == 1
    assert [line.split(":")[0] for line in shown.splitlines()] == ["a/Dockerfile"] * 2


def test_a_new_file_is_heard(tree: Path, check: Check) -> None:
    (tree / "c.Dockerfile").write_text(ONE)
    assert check("--baseline", "base.json")[0] == 1


def test_stale_entries_are_told_and_dropped(tree: Path, check: Check) -> None:
    (tree / "a" / "Dockerfile").write_text(FIXED)
    (tree / "b" / "Dockerfile").unlink()
    code, _, errors = check("--baseline", "base.json")
    assert code == 0
    assert "a/Dockerfile: baseline: apt-cleanup: 1 known, 0 found\n" in errors
    assert "b/Dockerfile: baseline: the file no longer exists\n" in errors
    assert "2 stale baseline entries" in errors
    check("--baseline", "base.json", "--update-baseline")
    assert json.loads((tree / "base.json").read_text())["files"] == {}


def test_an_update_of_a_part_keeps_the_rest(tree: Path, check: Check) -> None:
    (tree / "a" / "Dockerfile").write_text(TWO)
    check("a", "--baseline", "base.json", "--update-baseline")
    assert json.loads((tree / "base.json").read_text())["files"] == {
        "a/Dockerfile": {"apt-cleanup": 2}, "b/Dockerfile": {"apt-cleanup": 1}
    }  # fmt: skip


def test_a_broken_file_is_no_part_of_a_baseline(tree: Path, check: Check) -> None:
    (tree / "a" / "Dockerfile").write_text("FROM x\nRUM y\n")
    assert check("--baseline", "base.json", "--update-baseline")[0] == 2
    assert json.loads((tree / "base.json").read_text())["files"]["a/Dockerfile"] == {"apt-cleanup": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "base.json:1:2: "),
        ("[]", "not a baseline of version 1"),
        ('{"version": 2, "files": {}}', "not a baseline of version 1"),
        ('{"version": 1, "files": {"a": {"x": -1}}}', '"files" must map'),
        ('{"version": 1, "files": {"a": 3}}', '"files" must map'),
        (None, "no such file (--update-baseline creates it)"),
    ],
)
def test_no_baseline(tmp_path: Path, check: Check, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "base.json").write_text(content)
    code, shown, errors = check("--baseline", "base.json")
    assert (code, shown) == (2, "")
    assert message in errors


def test_update_needs_a_name(check: Check) -> None:
    assert check("--update-baseline")[0] == 2


def test_statistics(tree: Path, check: Check) -> None:
    (tree / "a" / "Dockerfile").write_text(TWO)
    assert check("--statistics")[:2] == (1, "      3  apt-cleanup\n")
