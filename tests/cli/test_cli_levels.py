"""-O1, -O2 and --modernize: which passes run, and which tiers are taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "FROM python:3.13\nENV A b\nRUN pip install flask\nCOPY . /app\nCMD python /app/main.py\n"


def dfopt(tree: Path, *arguments: str, config: str = "") -> str:
    (tree / "Dockerfile").write_text(TEXT)
    (tree / "dfopt.toml").write_text(config)
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "fix", *arguments, "Dockerfile"], cwd=tree, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "config", "spelled", "swapped"),
    [
        ((), "", False, False),
        (("-O1",), "level = 2", False, False),
        (("--modernize",), "", True, False),
        ((), "modernize = true", True, False),
        (("--no-modernize",), "modernize = true", False, False),
        (("-O2",), "", False, True),
        (("--level", "2", "--modernize"), "", True, True),
        ((), "level = 2", False, True),
        (("-O2", "--no-unsafe"), "", False, False),
    ],
)
def test_levels(tmp_path: Path, arguments: tuple[str, ...], config: str, spelled: bool, swapped: bool) -> None:
    diff = dfopt(tmp_path, *arguments, config=config)
    assert ("--no-cache-dir" in diff) is not swapped  # what the builder leaves is not shipped
    assert ("ENV A=b" in diff) is spelled
    assert ("+FROM python:3.13-slim" in diff) is swapped


@pytest.mark.parametrize("value", ["0", "4", "true", '"2"'])
def test_a_level_that_is_none(tmp_path: Path, value: str) -> None:
    (tmp_path / "dfopt.toml").write_text(f"level = {value}\n")
    (tmp_path / "Dockerfile").write_text(TEXT)
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "fix", "."], cwd=tmp_path, text=True, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert "dfopt.toml:1:1: level: must be 1, 2 or 3" in done.stderr


def test_check_at_level_3_builds_nothing(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT)
    done, as_2 = (
        subprocess.run(
            [sys.executable, "-m", "dfopt", "check", level, "Dockerfile"], cwd=tmp_path, text=True, capture_output=True,
            env={**os.environ, "DOCKER_HOST": "unix:///nowhere"}, check=False,
        )
        for level in ("-O3", "-O2")
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (as_2.returncode, as_2.stdout)
    assert "multi-stage" in done.stdout
