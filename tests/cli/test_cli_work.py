"""A file that takes more than its share of work: a line of error, and the run goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cli.running import environment

LONG = "FROM debian:13\n" + "RUN apt-get update && apt-get install -y curl\n" * 200
SHORT = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
PROGRAM = """
import sys
from dfopt.ir.work import Work
Work.__init__.__defaults__ = (2000,)  # a share that the short file keeps to
from dfopt.cli.entry import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_run_goes_on(tmp_path: Path) -> None:
    for name, text in (("a", LONG), ("b", SHORT)):
        (tmp_path / f"{name}.Dockerfile").write_text(text)
    arguments = ["fix", "--write", "--isolated", "--no-cache", "-j", "1", "."]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=tmp_path, env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if ": error: " in line]
    assert len(errors) == 1
    assert errors[0].startswith("a.Dockerfile:1:1: ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "a.Dockerfile").read_text() == LONG
    assert (tmp_path / "b.Dockerfile").read_text() == SHORT[:-1] + " && rm -rf /var/lib/apt/lists/*\n"
