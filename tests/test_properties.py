"""Properties: any bytes come back; merged RUN lists do under a real shell what the separate ones did."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from random_examples import examples

from dfopt.facts import NO_FACTS
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse
from dfopt.testing import laws

# Pieces of Dockerfiles: what the grammar is made of, so that random files are often valid and often nearly so
PIECES = st.sampled_from(
    ["FROM a\n", "FROM a AS b\n", "RUN ", "COPY ", "ENV A=1\n", "ARG X\n", "# c\n", "# escape=`\n", "\\\n", "`\n", "\n",
     " ", "\t", "\r\n", "\r", "<<EOF\n", "EOF\n", "apt-get update", " && ", " || ", "; ", " & ", "touch /a", "rm /a",
     "rm -rf /x", '["a", "b"]', "'", '"', "$X", "${X:-y}", "\ufeff", "\f", "\u2028", "\x00", "\udce9", "é", "ONBUILD ",
     "--mount=type=ssh ", "( ", ")", "{ ", "}", "if a; then b; fi", "cd /a", "export A=1", "#", "|", ">f"]
)  # fmt: skip


@given(st.binary(max_size=300))
@example(b"\xff\xfe")
@example(b"FROM a\r\nRUN b\\\r\n\r\n c")
def test_any_bytes_come_back(data: bytes) -> None:
    assert laws.round_trip(data) == ""


@given(st.lists(PIECES, max_size=25).map("".join))
@examples(400)
def test_laws_hold_for_random_files(text: str) -> None:
    options = Options((), (), ("safe", "unsafe"), {"merge-run": {"when": "all"}})
    assert laws.all_laws(Source("Dockerfile", text), options, NO_FACTS) == []


# Commands that stay inside the directory in which they run
COMMANDS = st.sampled_from(
    ["touch a", "touch b", "rm a", "rm -f b", "mkdir -p d", "cd d", "cd ..", "echo x >> log", "false", "true",
     "export V=1", 'echo "[$V]" >> log', "V=2", "umask 077", "set -e", "set -u", "exit 0", "exit 3",
     "pwd | sed 's,.*/,,' >> log", "f() { echo f >> log; }", "f", "! false", "(cd d && touch in)",
     "{ touch c; false; }", "test -e a", "if test -e a; then touch yes; else false; fi",
     "for i in 1 2; do echo $i >> log; done",
     'echo "$i" >> log', "echo $- | tr -dc eu >> log", "exec true", "readonly R=1", "unset V", ": ${W:=5}",
     'echo "${W-no}" >> log', "umask >> log", "case $V in 1) touch one;; esac", "while false; do :; done",
     "trap 'echo t >> log' EXIT", "echo $((n = 4)) >> log"]
)  # fmt: skip
JOINTS = st.sampled_from([" && ", "; ", " || ", " | cat && "])
BODIES = st.lists(st.tuples(COMMANDS, JOINTS), min_size=1, max_size=4).map(
    lambda parts: "".join(command + joint for command, joint in parts[:-1]) + parts[-1][0]
)


def run_steps(shell: str, bodies: list[str]) -> tuple[int, dict[str, tuple[int, bytes]]]:
    """Each body in a shell of its own, until one fails, as a build does: the status, and the files with their modes."""
    root = Path(tempfile.mkdtemp())
    try:
        work = root / "work"
        work.mkdir()
        status = 0
        for body in bodies:
            done = subprocess.run(
                [shell, "-c", body], cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                env={"PATH": os.environ["PATH"]},
            )  # fmt: skip
            status = done.returncode
            if status:
                break
        files = {
            str(path.relative_to(work)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(work.rglob("*"))
        }
        return status, files
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("shell", ["dash", "bash"])
@given(st.lists(BODIES, min_size=2, max_size=4))
@examples(120)
@example(["cd d || mkdir -p d", "touch here"])
@example(["set -e; false || true; touch a", "rm a"])
@example(["touch a", "set -e; false; touch b"])
@example(["umask 077", "touch a"])
@example(["true", "false; touch a"])
@example(["exit 0; touch a", "touch b"])
def test_merged_steps_do_the_same(shell: str, bodies: list[str]) -> None:
    if shutil.which(shell) is None:
        pytest.fail(f"{shell} is needed for this test")
    base = "debian:13-slim" if shell == "dash" else "fedora:41"
    text = f"FROM {base}\n" + "".join(f"RUN {body}\n" for body in bodies)
    options = Options(("merge-run",), (), ("safe",), {"merge-run": {"when": "all"}})
    result = optimize(Source("Dockerfile", text), options)
    assert result.problem is None
    merged = [node.body for node in parse(result.output).instructions if node.keyword == "RUN"]
    (status, files), (expected, expected_files) = run_steps(shell, merged), run_steps(shell, bodies)
    assert files == expected_files, merged
    if "set -u" in text and status and expected:
        return  # an unset variable ends bash with 127, and a subshell of it with 1: both fail the build
    assert status == expected, merged


def test_merging_is_exercised() -> None:
    """The property above would prove nothing if most lists were refused."""
    text = "FROM debian:13-slim\n" + "".join(f"RUN {body}\n" for body in ("cd d || true", "touch a; false", "touch b"))
    options = Options(("merge-run",), (), ("safe",), {"merge-run": {"when": "all"}})
    assert optimize(Source("Dockerfile", text), options).changed
