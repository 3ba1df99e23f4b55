"""Programs that are started once for each file, how each peer is called, and which comments count as lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .comments import lost
from .helpers import sample_of, write
from .measure import Bench, share
from .peers import EACH, native_dockerfmt, peers
from .sample import Sample
from .tool import Tool
from .verdicts import twice

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the comparison reads Linux's /proc")


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        pytest.param("# a\nFROM x\n", "# a\nFROM y\n", False, id="kept"),
        pytest.param("# a\nFROM x\n", "FROM y\n", True, id="dropped"),
        pytest.param("# a\n# a\nFROM x\n", "# a\nFROM x\n", True, id="one-of-two"),
        pytest.param("#a  b\r\nFROM x\n", "FROM x\n  ## a b\n", False, id="moved-and-spaced-otherwise"),
        pytest.param("FROM x\nRUN a \\\n # c\n b\n", "FROM x\nRUN a # c\n", True, id="swallowed-by-a-command"),
        pytest.param("FROM x\nRUN a \\\n # c\n b\n", "FROM x\nRUN <<E\na\n# c\nb\nE\n", False, id="now-in-a-heredoc"),
        pytest.param("FROM x\nRUN <<E\n# shell\nE\n", "FROM x\n", False, id="line-of-a-heredoc"),
        pytest.param("# escape=`\nFROM x\n#\n", "FROM x\n", False, id="directive-and-ruler"),
        pytest.param("# a\nno Dockerfile\n", "no Dockerfile\n", True, id="unreadable-before"),
        pytest.param("# a\nFROM x\n", "<<<\n", True, id="unreadable-after"),
    ],
)
def test_lost_comments(before: str, after: str, gone: bool) -> None:
    assert lost(before.encode(), after.encode()) is gone


def each(root: Path, code: str, mode: str, codes: str, names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs each.py with `code` as the program, below `root`."""
    command = [sys.executable, "-I", "-S", str(EACH), mode, codes, "3", sys.executable, "-c", code, *names]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


SHORTEN = """
import sys
text = open(sys.argv[1]).read()
print(text[:1])
if "trace" in text: raise ValueError("no")
sys.exit(1 if "one" in text else 7 if "seven" in text else 0)
"""


def test_a_start_for_each_file_whose_output_becomes_the_file(tmp_path: Path) -> None:
    texts = {"a": "one\n\n", "b": "seven", "c": "trace", "d": "zero"}
    write(tmp_path, texts)
    run = each(tmp_path, SHORTEN, "print", "0,1", list(texts))
    assert (run.returncode, run.stdout) == (2, "a\nd\n")
    assert run.stderr == "fails on 2 of 4 files, first b: exit 7\n"
    assert [(tmp_path / name).read_text() for name in texts] == ["o\n\n", "seven", "trace", "z"]
    run = each(tmp_path, SHORTEN, "print", "0", ["b", "c"])
    assert (run.returncode, run.stdout) == (3, "")
    run = each(tmp_path, "pass", "print", "0", ["a"])
    assert (run.returncode, run.stderr) == (3, "fails on 1 of 1 files, first a: it printed nothing\n")


def test_a_start_for_each_file_that_edits_it(tmp_path: Path) -> None:
    write(tmp_path, {"a": "one", "b": "zero"})
    run = each(tmp_path, SHORTEN, "edit", "0,1", ["a", "b"])
    assert (run.returncode, run.stdout, run.stderr) == (0, "o\nz\n", "")
    assert (tmp_path / "a").read_text() == "one"


# A peer that takes one file: it appends its arguments to that file, or prints them.
PEER = """#!/bin/sh
for last; do :; done
case $1 in
--version | version) echo fake 2 ;;
optimize) echo "# $*" ;;
*) [ -f "$last" ] || exit 9; echo "# $*" >> "$last" ;;
esac
"""


@pytest.mark.parametrize(
    ("name", "program", "line"),
    [
        ("dockerfile-hardener fix", "dockerfile-hardener", "# fix --no-backup "),
        ("docktor optimize", "docktor", "# optimize --raw "),
        ("dokter -w", "dokter", "# -w -d "),
        ("dockerfmt -w", "dockerfmt", "# -n -w "),
    ],
)
def test_peers_that_take_one_file(bench: Bench, tmp_path: Path, name: str, program: str, line: str) -> None:
    script = write(tmp_path, {f"bin/{program}": PEER}) / "bin" / program
    script.chmod(0o755)
    tool = {tool.name: tool for tool in peers(tmp_path / "bin", 2)}[name]
    sample = sample_of(tmp_path / "s", "FROM a\n", "FROM b\n", "FROM c\n")
    assert bench.run(tool, sample)[3:] == (2, "", False)
    after = twice(bench, tool, share(tool, sample))[1]
    assert [content.decode().split("\n")[-2] for content in after] == [f"{line}{n}" for n in sample.names[:2]]


def test_dokter_finds_the_shellcheck_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"dokter": "#!/bin/sh\n"})
    (tmp_path / "dokter").chmod(0o755)
    tool = {tool.name: tool for tool in peers(tmp_path, 2)}["dokter -w"]
    assert tool.env["PATH"].split(":")[0] == str(tmp_path)


def test_dockerfile_doctor_gets_all_files_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"dockerfile-doctor": "#!/bin/sh\n"})
    (tmp_path / "dockerfile-doctor").chmod(0o755)
    rows = [tool for tool in peers(tmp_path, 2) if tool.command]
    path = str(tmp_path / "dockerfile-doctor")
    assert [(tool.command, tool.first) for tool in rows] == [
        ((path, "--fix", "--no-color"), 0),
        ((path, "--fix", "--unsafe-fixes", "--no-color"), 0),
    ]


def test_dockerfmt_is_started_without_node(tmp_path: Path) -> None:
    inner = "node_modules/@reteps/dockerfmt-linux-x64/bin/dockerfmt"
    launcher = "node_modules/@reteps/dockerfmt/dist/launcher.js"
    write(tmp_path, {inner: "\x7fELF", launcher: "#!/usr/bin/env node\n", "alone/dockerfmt": "\x7fELF"})
    (tmp_path / "dockerfmt").symlink_to(tmp_path / launcher)
    assert native_dockerfmt(str(tmp_path / "dockerfmt")) == str(tmp_path / inner)
    assert native_dockerfmt(str(tmp_path / "alone/dockerfmt")) == str(tmp_path / "alone/dockerfmt")


def test_one_file_may_need_nothing_and_a_sample_may_not(bench: Bench, sample: Sample) -> None:
    silent = Tool("fake", (sys.executable, "-c", "pass"), writes=True, first=300)
    assert bench.run(silent._replace(first=1), sample).failed is False
    assert bench.run(silent, sample).note == "exit 0, but neither output nor a changed file"
