"""`optimize(only=...)`: any part of the fixes of a run can be applied again, and nothing else comes with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_sample import of_each_group

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source
from dfopt.testing import golden
from dfopt.testing.discovery import find

TEXT = """FROM debian:13-slim
MAINTAINER someone
RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
RUN pip install flask
CMD ls
CMD ls -l
"""
OPTIONS = Options(tiers=("safe", "unsafe"), modernize=True)
GOLDEN = {files.name: golden.source_of(files) for files in find(Path(__file__).parents[1] / "golden")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "source" in metafunc.fixturenames:
        names = of_each_group(GOLDEN, metafunc.config)
        metafunc.parametrize("source", [GOLDEN[name] for name in names], ids=names)


def run(text: str, only: frozenset[tuple[str, int]] | None = None) -> Result:
    return optimize(Source.from_bytes(text.encode()), OPTIONS, None, only)


def test_nothing_asked_for_is_nothing_done() -> None:
    result = run(TEXT, frozenset())
    assert not result.changed
    assert {one.name for one in result.reported if one.fixable} >= {"maintainer-to-label", "duplicate-instruction"}


def test_all_of_them_give_the_same_text() -> None:
    full = run(TEXT)
    assert len(full.applied) > 4
    assert run(TEXT, frozenset(one.identity for one in full.applied)).output == full.output


def test_one_alone() -> None:
    for one in run(TEXT).applied:
        result = run(TEXT, frozenset((one.identity,)))
        assert {other.identity for other in result.applied} <= {one.identity}


def test_every_half_of_the_fixes_of_golden_cases(source: Source) -> None:
    full = optimize(source, OPTIONS)
    wanted = [one.identity for one in full.applied]
    assert optimize(source, OPTIONS, None, frozenset(wanted)).output == full.output
    for part in (wanted[::2], wanted[1::2]):
        half = optimize(source, OPTIONS, None, frozenset(part))
        assert {one.identity for one in half.applied} <= set(part)
