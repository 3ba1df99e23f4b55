"""`--timings` and `--print-after` show what the optimizer does, and change nothing of its result."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = "FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\n"


def dfopt(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (tree / "Dockerfile").write_text(TEXT)
    return subprocess.run(
        [sys.executable, "-m", "dfopt", *arguments, "Dockerfile"], cwd=tree, text=True, capture_output=True, check=False
    )


def test_timings_name_each_phase_and_pass_once(tmp_path: Path) -> None:
    plain, timed = (dfopt(tmp_path, "fix", "--select", "size", *more) for more in ((), ("--timings",)))
    assert timed.stdout == plain.stdout
    assert timed.stdout
    rows = [line.split() for line in timed.stderr.splitlines()]
    names = [row[0] for row in rows]
    assert names.count("merge-run") == names.count("apt-cleanup") == names.count("layers") == 1
    assert names.index("layers") < names.index("merge-run") < names.index("caches") < names.index("apt-cleanup")
    assert all(re.fullmatch(r"\d+\.\d", row[-1]) for row in rows if row[0] == "merge-run")


@pytest.mark.parametrize(("word", "shown"), [("merge-run", True), ("all", True), ("pip-no-cache", False)])
def test_print_after(tmp_path: Path, word: str, shown: bool) -> None:
    done = dfopt(tmp_path, "fix", "--select", "size", "--print-after", word)
    assert ("+++ after merge-run (layers)" in done.stderr) is shown
    assert ("-RUN apt-get install -y curl" in done.stderr) is shown
    assert ("rm -rf /var/lib/apt/lists" in done.stderr) is (word == "all")


def test_check_is_traced_too(tmp_path: Path) -> None:
    assert "caches" in dfopt(tmp_path, "check", "--timings").stderr


def test_an_unknown_pass_is_a_usage_error(tmp_path: Path) -> None:
    done = dfopt(tmp_path, "fix", "--print-after", "merge-runs")
    assert done.returncode == 2
    assert 'there is no pass "merge-runs"' in done.stderr
