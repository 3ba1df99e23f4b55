"""The scaffold of a pass, in a copy of the tree: what it creates passes tests, linter and type checker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.testing.discovery import find
from tests.tools import new_pass

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the scaffold and the tests of one pass need."""
    left_out = shutil.ignore_patterns("__pycache__", "suite", "bench", "*.Dockerfile")
    for name in ("dfopt", "recipes", "tests", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "golden").mkdir()
    return tmp_path


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, env=env, capture_output=True, text=True, timeout=600, check=False
    )


def test_a_new_pass_is_complete(tree: Path) -> None:
    made = run(tree, "tests.tools.new_pass", "shrink-it", "--group", "size", "--program", "tool", "--option=--small")
    assert made.returncode == 0, made.stdout + made.stderr
    files = ["dfopt/passes/shrink_it.py", "golden/shrink-it.md", "docs/passes/shrink-it.md"]
    assert made.stdout.splitlines()[:3] == files
    cases = {case.name.partition("/")[2]: case for case in find(tree / "golden")}
    assert set(cases) == set(new_pass.CASES)
    assert cases["plain"].read("expected.Dockerfile") == b"FROM debian:13\nRUN tool --small a\n"
    assert cases["no-op-option"].read("expected.txt") is None
    assert b"ONBUILD" in (cases["refused-onbuild"].read("expected.txt") or b"")

    golden = run(tree, "pytest", "tests/test_golden.py", "-k", "shrink-it/")
    assert golden.returncode == 0, golden.stdout
    docs = run(tree, "pytest", "tests/test_docs.py", "-k", "test_page and shrink-it or pages_of_passes")
    assert docs.returncode == 0, docs.stdout
    module = files[0]
    assert run(tree, "ruff", "check", module).returncode == 0
    assert run(tree, "ruff", "format", "--check", module).returncode == 0
    typed = run(tree, "mypy", "--strict", "-m", "dfopt.passes.shrink_it")
    assert typed.returncode == 0, typed.stdout

    again = run(tree, "tests.tools.new_pass", "shrink-it", "--group", "size")
    assert (again.returncode, "already" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "program", "option", "why"),
    [
        ("Shrink", "tool", "--small", "is like merge-run"),
        ("shrink_it", "tool", "--small", "is like merge-run"),
        ("merge-run", "tool", "--small", "already"),
        ("shrink-it", "Tool; x", "--small", "program"),
        ("shrink-it", "tool", "small", "option"),
    ],
)
def test_refused(name: str, program: str, option: str, why: str) -> None:
    assert why in new_pass.problem(name, program, option)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dfopt" / "passes").mkdir(parents=True)
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "a-b.md").write_text("mine")
    with pytest.raises(FileExistsError):
        new_pass.create({"name": "a-b"}, tmp_path)
    assert (tmp_path / "golden" / "a-b.md").read_text() == "mine"
    assert list((tmp_path / "dfopt" / "passes").iterdir()) == []
