"""The addresses of the pages about findings, and the classes of refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.documentation import address, refusal_class
from dfopt.knowledge import table
from dfopt.lsp.actions import diagnostics
from dfopt.lsp.analysis import Analysis
from dfopt.pass_selection import Options
from tests.tools import pages

BASE = "https://docs.example.org/dfopt"
TEXT = (
    "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"
    'SHELL ["cmd", "/C"]\nRUN apt-get update && apt-get install -y git\n'
)
CLEANUP = f"{BASE}/passes/apt-cleanup/"
SHELL = f"{BASE}/refusals/other-shell/"


def test_each_class_has_an_example_and_most_refusals_have_a_class() -> None:
    by_class = pages.refusals_by_class()
    unknown = len(by_class.pop(""))
    assert all(by_class.values()), by_class
    known = sum(map(len, by_class.values()))
    assert known >= 10 * unknown, f"{unknown} of {known + unknown} kinds of refusals have no class"


@pytest.mark.parametrize("row", table("refusals")["class"], ids=lambda row: row["name"])
def test_no_word_of_a_class_is_for_nothing(row: dict[str, list[str]]) -> None:
    """A word that no reason holds, in the code or in a table, classifies nothing."""
    root = Path(pages.__file__).parents[2]
    sources = "".join(path.read_text() for path in (root / "dfopt").rglob("*.py"))
    said = sources + "".join(text for _, text in pages.golden_refusals())
    tables = "".join(
        path.read_text() for path in (root / "dfopt" / "knowledge").glob("*.toml") if "refusals" not in path.name
    )
    assert [word for word in row["words"] if word not in said and word not in tables] == []


@pytest.mark.parametrize(
    ("name", "reason", "unblock", "page"),
    [
        ("apt-cleanup", "", "", "passes/apt-cleanup"),
        ("apt-cleanup", "the shell is cmd, which is not analysed", "", "refusals/other-shell"),
        ("dependency-layers", "there is no uv.lock", "commit uv.lock", "refusals/build-context"),
        ("merge-run", "a reason of another day", "", "passes/merge-run"),
        ("host", "it holds a variable", "", "refusals/template"),
    ],
)
def test_addresses(name: str, reason: str, unblock: str, page: str) -> None:
    assert address(BASE, name, reason, unblock) == f"{BASE}/{page}/"
    assert address(f"{BASE}/", name, reason, unblock) == f"{BASE}/{page}/"
    assert address("", name, reason, unblock) == ""


def test_what_no_pass_found_has_no_address() -> None:
    assert address(BASE, "unused-suppression") == ""
    assert refusal_class("") == ""


def test_reports_carry_them(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT)
    args = ("check", "--select", "apt-cleanup", "--show-refusals", "--no-cache")
    plain = dfopt(*args, "--output-format", "json", cwd=tmp_path, driven=False)
    assert b"documentation" not in plain.stdout
    (tmp_path / "dfopt.toml").write_text(f'documentation = "{BASE}"\n')
    document = json.loads(dfopt(*args, "--output-format", "json", cwd=tmp_path, driven=False).stdout)
    findings = document["files"][0]["findings"]
    assert {finding["documentation"] for finding in findings} == {CLEANUP, SHELL}
    run = json.loads(dfopt(*args, "--output-format", "sarif", cwd=tmp_path, driven=False).stdout)["runs"][0]
    rules = {rule["id"]: rule.get("helpUri") for rule in run["tool"]["driver"]["rules"]}
    assert rules["apt-cleanup"] == CLEANUP
    assert rules["syntax-error"] is None
    assert {result["properties"]["documentation"] for result in run["results"]} == {CLEANUP, SHELL}
    (tmp_path / "dfopt.toml").write_text('documentation = "docs/"\n')
    done = dfopt(*args, cwd=tmp_path, driven=False)
    assert done.returncode == 2
    assert b"dfopt.toml:1:1: documentation: must be an address" in done.stderr


def test_editors_get_them() -> None:
    analysis = Analysis(TEXT, "Dockerfile", Options(("apt-cleanup",), (), ("safe",), {}), None, "utf-16")
    reports = diagnostics(analysis, True, BASE)
    links = {report.code_description.href for report in reports if report.code_description is not None}
    assert links == {CLEANUP, SHELL}
    assert all(report.code_description is None for report in diagnostics(analysis, True))
