"""Every golden case: the files it expects, the laws, BuildKit's opinion, and its CRLF and ONBUILD twins."""

from __future__ import annotations

from pathlib import Path

import pytest
from oracle_client import Oracle

from dfopt.optimizer import optimize
from dfopt.source import Source, encode
from dfopt.syntax.dockerfile import parse
from dfopt.testing import golden, laws

ROOT = Path(__file__).parent.parent / "golden"
CASES = [golden.load(path) for path in golden.find(ROOT)]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> golden.Case:
    found: golden.Case = request.param
    return found


def test_there_are_cases() -> None:
    assert len(CASES) > 40


def test_expected(case: golden.Case, request: pytest.FixtureRequest) -> None:
    outcome = golden.run(case)
    if request.config.getoption("--update-golden"):
        golden.update(case, outcome)
    assert golden.differences(case, outcome) == []


def test_laws(case: golden.Case) -> None:
    assert laws.all_laws(case.source, case.options, case.facts()) == []


def test_buildkit_reads_the_result(case: golden.Case, oracle: Oracle) -> None:
    outcome = golden.run(case)
    if outcome.result.problem is None and outcome.dockerfile is not None:
        seen = oracle.parse(outcome.dockerfile)
        assert not seen.get("err")
        assert not seen.get("inst_err")


def test_crlf_twin(case: golden.Case) -> None:
    text = laws.crlf_twin(case.source.text)
    source = Source(case.source.name, text)
    assert laws.all_laws(source, case.options, case.facts()) == []
    result = optimize(source, case.options, case.facts())
    if case.source.text == text or result.problem is not None:
        return
    for change in result.changes:
        assert "\n" not in change.text.replace("\r\n", ""), "a bare LF came into a CRLF file"
    heredocs = any(node.heredocs for node in parse(text).instructions)
    mixed = "\r\n" in case.source.text
    if not heredocs and not mixed:
        assert encode(result.output) == encode(laws.crlf_twin(golden.run(case).result.output))


def test_onbuild_twin(case: golden.Case) -> None:
    if golden.run(case).result.problem is not None:
        return
    text = laws.onbuild_twin(case.source.text)
    if text is not None:
        assert laws.all_laws(Source(case.source.name, text), case.options, case.facts()) == []
