"""Each finding with its own edits: places lie in the file as it is, and the edits of a finding make it alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from golden_sample import of_each_group

from dfopt.edit import apply_edits
from dfopt.optimizer import Optimizer
from dfopt.own_edits import OwnEdits, Separator
from dfopt.pass_selection import Options
from dfopt.record import replace
from dfopt.results import Result
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse
from dfopt.testing import golden
from dfopt.testing.discovery import find

ROOT = Path(__file__).parents[1] / "golden"
CASES = {files.name: golden.load(files) for files in find(ROOT)}
ALL = Options(("all",), tiers=("safe", "unsafe"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        names = of_each_group(CASES, metafunc.config)
        metafunc.parametrize("case", [CASES[name] for name in names], ids=names)


class Separated:
    """A text with its result, and each finding's own edits."""

    def __init__(self, case: golden.GoldenCase, options: Options) -> None:
        self.source, self.facts = case.source, case.facts()
        self.optimizer = Optimizer(options)
        self.result = self.optimizer.run(self.source, self.facts)
        self.own: dict[tuple[str, int, int, str], OwnEdits] = {}
        if self.result.problem is None:
            program, findings = self.optimizer.findings(self.source, self.facts)
            self.own = dict(Separator(self.result, program, findings, self.rerun).of_all())

    def rerun(self, only: frozenset[tuple[str, int]]) -> Result:
        return self.optimizer.run(self.source, self.facts, only)


def of_text(text: str, options: Options) -> Separated:
    case = next(iter(CASES.values()))
    return Separated(replace(case, source=Source("Dockerfile", text)), options)


@pytest.mark.parametrize("options", [pytest.param(None, id="own-options"), pytest.param(ALL, id="all-passes")])
def test_golden_cases(case: golden.GoldenCase, options: Options | None) -> None:
    merged = replace(options, settings=case.options.settings) if options is not None else case.options
    found = Separated(case, merged)
    text = found.source.text
    lines = text.count("\n") + 1
    for finding in (*found.result.applied, *found.result.reported):
        assert 0 <= finding.start <= finding.end <= len(text), finding.message
        for number in re.findall(r"(?<!\()\blines? (\d+)", finding.message):
            assert int(number) <= lines, finding.message
    for fix in found.result.applied:
        own = found.own[fix.name, fix.start, fix.end, fix.message]
        assert own.edits or own.together, f"{fix.name} has neither edits nor what it waits for"
        assert fix.tier != "safe" or not own.edits or all(other.tier == "safe" for other in own.together)
        if own.edits:
            parse(apply_edits(text, own.edits))
            alone = found.rerun(frozenset(other.identity for other in (fix, *own.together)))
            if len(alone.applied) == 1 + len(own.together):  # more: what it made possible at its own place came with it
                assert apply_edits(text, own.edits) == alone.output, fix.name
    for other in found.result.reported:
        if other.fixable:
            own = found.own[other.name, other.start, other.end, other.message]
            assert bool(own.edits) != bool(own.together), f"{other.name} has neither edits nor what comes first"
            parse(apply_edits(text, own.edits))


def test_fixes_of_one_instruction_stay_apart() -> None:
    found = of_text(
        "FROM debian:13-slim\nRUN apt-get update && apt-get install -y git\n",
        Options(("apt-cleanup", "no-recommends"), tiers=("safe", "unsafe")),
    )
    texts = {key[0]: apply_edits(found.source.text, own.edits) for key, own in found.own.items()}
    assert "--no-install-recommends" not in texts["apt-cleanup"]
    assert "rm -rf" in texts["apt-cleanup"]
    assert "rm -rf" not in texts["no-recommends"]
    assert "--no-install-recommends" in texts["no-recommends"]


def test_a_fix_of_what_another_wrote_says_so() -> None:
    found = of_text(
        "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends git\n",
        Options(("merge-run", "apt-cleanup")),
    )
    own = {key[0]: edits for key, edits in found.own.items()}
    assert own["merge-run"].together == ()
    assert [fix.name for fix in own["apt-cleanup"].together] == ["merge-run"]
    assert apply_edits(found.source.text, own["apt-cleanup"].edits) == found.result.output


def test_a_safe_finding_never_carries_an_unsafe_edit() -> None:
    """Without the unsafe merge nothing could be cleaned."""
    text = "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y git; true\n"
    found = of_text(text, Options(("merge-run", "apt-cleanup"), tiers=("safe", "unsafe")))
    tiers = {fix.name: fix.tier for fix in found.result.applied}
    for (name, *_), own in found.own.items():
        if tiers.get(name) == "safe":
            assert not own.edits or all(other.tier == "safe" for other in own.together)


def test_what_waits_for_a_safe_fix_says_which() -> None:
    found = of_text(
        "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y git\n",
        Options(("merge-run", "no-recommends")),
    )
    (available,) = [finding for finding in found.result.reported if finding.fixable]
    own = found.own[available.name, available.start, available.end, available.message]
    assert own.edits or [fix.name for fix in own.together] == ["merge-run"]
