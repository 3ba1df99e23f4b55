"""Every golden case: the files it expects, the laws, BuildKit's opinion, and its CRLF and ONBUILD twins."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from golden_sample import of_each_group, updates
from oracle_client import Oracle

from dfopt.optimizer import optimize
from dfopt.passes.base import registered
from dfopt.source import Source, encode
from dfopt.syntax.dockerfile import parse
from dfopt.testing import golden, laws
from dfopt.testing.discovery import find

ROOT = Path(__file__).parent.parent / "golden"
CASES = {files.name: golden.load(files) for files in find(ROOT)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        names = of_each_group(CASES, metafunc.config)
        metafunc.parametrize("case", [CASES[name] for name in names], ids=names)


@cache
def outcome_of(name: str) -> golden.GoldenOutcome:
    """What the optimizer makes of a case. It is a pure function: one run serves every test."""
    return golden.run(CASES[name])


def test_every_pass_has_cases() -> None:
    assert {case.files.group for case in CASES.values()} == set(registered())


def test_expected(case: golden.GoldenCase, request: pytest.FixtureRequest) -> None:
    outcome = outcome_of(case.name)
    if updates(case, request.config):
        golden.update(case, outcome)
    assert golden.differences(case, outcome) == []


def test_laws(case: golden.GoldenCase) -> None:
    assert laws.all_laws(case.source, case.options, case.facts(), outcome_of(case.name).result) == []


def test_buildkit_reads_the_result(case: golden.GoldenCase, oracle: Oracle) -> None:
    outcome = outcome_of(case.name)
    if outcome.result.problem is None and outcome.dockerfile is not None:
        seen = oracle.parse(outcome.dockerfile)
        assert not seen.get("err")
        assert not seen.get("inst_err")


def test_crlf_twin(case: golden.GoldenCase) -> None:
    text = laws.crlf_twin(case.source.text)
    source = Source(case.source.name, text)
    result = optimize(source, case.options, case.facts())
    assert laws.all_laws(source, case.options, case.facts(), result) == []
    if case.source.text == text or result.problem is not None:
        return
    for change in result.changes:
        assert "\n" not in change.text.replace("\r\n", ""), "a bare LF came into a CRLF file"
    heredocs = any(node.heredocs for node in parse(text).instructions)
    mixed = "\r\n" in case.source.text
    if not heredocs and not mixed:
        assert encode(result.output) == encode(laws.crlf_twin(outcome_of(case.name).result.output))


def test_onbuild_twin(case: golden.GoldenCase) -> None:
    if outcome_of(case.name).result.problem is not None:
        return
    text = laws.onbuild_twin(case.source.text)
    if text is not None:
        assert laws.all_laws(Source(case.source.name, text), case.options, case.facts()) == []
