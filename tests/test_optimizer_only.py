"""`optimize(only=...)`: any part of the fixes of a run can be applied again, and nothing else comes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source

TEXT = """FROM debian:13-slim
MAINTAINER someone
RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
RUN pip install flask
CMD ls
CMD ls -l
"""
OPTIONS = Options(tiers=("safe", "unsafe"))
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*/*/Dockerfile"))


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


@pytest.mark.parametrize("path", GOLDEN, ids=[f"{path.parent.parent.name}/{path.parent.name}" for path in GOLDEN])
def test_every_half_of_the_fixes_of_golden_cases(path: Path) -> None:
    source = Source.from_bytes(path.read_bytes())
    full = optimize(source, OPTIONS)
    wanted = [one.identity for one in full.applied]
    assert optimize(source, OPTIONS, None, frozenset(wanted)).output == full.output
    for part in (wanted[::2], wanted[1::2]):
        half = optimize(source, OPTIONS, None, frozenset(part))
        assert {one.identity for one in half.applied} <= set(part)
