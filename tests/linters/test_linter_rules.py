"""The rules of other linters: dfopt answers each, or says why not; the linters find theirs in the samples."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.passes.base import registered
from tests.tools.linter_rules import PAGE, Rule, answer, page, put, rules

RULES = rules()
WITH_SAMPLE = [rule for rule in RULES if "sample" in rule.row]


def program(name: str) -> str:
    """A linter that the test dependencies install."""
    path = Path(sys.executable).with_name(name)
    assert path.exists(), f"{name} is not installed: tests/venv does it"
    return str(path)


def name_of(rule: Rule) -> str:
    return f"{rule.tool}-{rule.code}"


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_answered(rule: Rule) -> None:
    """Found in its sample by a pass that has the code, refused as the builder refuses it, or left out with a reason."""
    made = answer(rule)
    assert made.status != "missed"
    assert bool(made.passes) == (made.status in ("safe", "unsafe", "found"))


def test_no_other_codes() -> None:
    """What passes say they answer is a rule that is there. DKL-DI are dockle's own, which looks at images."""
    codes = {code for cls in registered().values() for code in cls.codes if not code.startswith("DKL-")}
    assert codes == {rule.code for rule in RULES if answer(rule).passes}


def test_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: python -m tests.tools.linter_rules"


@pytest.mark.parametrize("rule", [rule for rule in WITH_SAMPLE if rule.tool == "hadolint"], ids=name_of)
def test_hadolint_finds_it(rule: Rule, tmp_path: Path) -> None:
    command = [program("hadolint"), "--no-fail", "--format=json", "--config=/dev/null", *rule.row.get("options", [])]
    done = subprocess.run([*command, str(put(rule, tmp_path))], capture_output=True, timeout=60, check=True)
    assert rule.code in {finding["code"] for finding in json.loads(done.stdout)}


@pytest.mark.parametrize("rule", [rule for rule in WITH_SAMPLE if rule.tool == "BuildKit"], ids=name_of)
def test_tally_finds_it(rule: Rule, tmp_path: Path) -> None:
    """tally carries BuildKit's parser and checks."""
    command = [program("tally"), "lint", "--no-config", "--format", "json", "--slow-checks=off", "--fail-level=none"]
    command += [f"--select=buildkit/{rule.code}", f"--context={tmp_path}", str(put(rule, tmp_path))]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    found = {one["rule"] for file in json.loads(done.stdout)["files"] or [] for one in file["violations"]}
    assert f"buildkit/{rule.code}" in found
