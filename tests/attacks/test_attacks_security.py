"""SECURITY.md: each sentence of its tables has its tests, and the numbers in it are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from attacks import test_attacks_scan
from dfopt.files import LIMIT
from dfopt.registry.manifests import BODY_LIMIT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and not re.fullmatch(r"[|\s-]+", line)
]


def test_each_row_names_tests_that_are_there() -> None:
    rows = [row for row in ROWS if row[-1] != "test"]
    assert len(rows) > 15
    named: set[str] = set()
    for row in rows:
        files = re.findall(r"`([\w/.]+\.py)`", row[-1])
        assert files or row[-1] == "as above", row
        named.update(files)
    for name in named:
        tree = ast.parse((ROOT / "tests" / name).read_bytes())
        functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        assert [one for one in functions if one.startswith("test_")], name


def test_each_test_of_attacks_is_named() -> None:
    own = {f"attacks/{file.name}" for file in Path(__file__).parent.glob("test_*.py") if file != Path(__file__)}
    assert own <= set(re.findall(r"`(attacks/[\w.]+)`", TEXT))


def test_numbers() -> None:
    assert f"at most {LIMIT >> 20} MiB" in TEXT
    assert f"manifests up to {BODY_LIMIT >> 20} MiB" in TEXT
    words = ("no", "one", "two", "three", "four", "five", "six", "seven")
    assert f"started in {words[len(test_attacks_scan.STARTERS)]} modules" in TEXT


def test_each_command_is_spoken_of() -> None:
    left_out = {"passes", "explain", "cache clean"}  # they read nothing but dfopt's own files and cache
    for file in (ROOT / "dfopt" / "cli" / "specs").glob("[!_]*.py"):
        command = file.stem.replace("_", " ")
        assert command in left_out or re.search(rf"`{command.split()[0]}[ `]", TEXT), command
