"""The optimizer does nothing twice, runs no pass for nothing, and leaves no program to the garbage collector."""

from __future__ import annotations

import gc
from pathlib import Path

from dfopt.optimizer import Observer, Optimizer
from dfopt.pass_selection import Options
from dfopt.passes.base import PHASES
from dfopt.passes.index import entries
from dfopt.source import Source
from dfopt.testing import golden
from dfopt.testing.discovery import find

TEXT = """FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl
CMD ls
CMD ls -l
"""


class Seen(Observer):
    def __init__(self) -> None:
        self.rounds: list[tuple[str, str]] = []  # (phase, pass)

    def ran(self, phase: str, name: str, seconds: float, findings: int) -> None:
        self.rounds.append((phase, name))


def observed(options: Options, text: str) -> list[tuple[str, str]]:
    seen = Seen()
    Optimizer(options, seen).run(Source("Dockerfile", text))
    return seen.rounds


def test_a_phase_that_saw_the_last_text_does_not_look_at_it_again() -> None:
    rounds = observed(Options(("duplicate-instruction", "apt-cleanup", "latest-tag")), TEXT)
    # repair: a fix, nothing; caches: a fix, nothing; names: nothing; then the two before the last fix again, or none
    assert [name for _, name in rounds] == [
        "duplicate-instruction", "duplicate-instruction", "apt-cleanup", "apt-cleanup", "latest-tag",
        "duplicate-instruction",
    ]  # fmt: skip
    assert [name for _, name in observed(Options(("duplicate-instruction", "latest-tag")), TEXT)] == [
        "duplicate-instruction", "duplicate-instruction", "latest-tag",
    ]  # fmt: skip


def test_passes_without_a_fix_to_apply_run_where_reports_are_wanted() -> None:
    tiers = {entry.name: entry.tiers for entry in entries()}
    everything = {name for _, name in observed(Options(), TEXT)}
    applied = {name for _, name in observed(Options(report=False), TEXT)}
    unsafe = {name for _, name in observed(Options(tiers=("safe", "unsafe"), report=False), TEXT)}
    assert applied == {name for name in everything if "safe" in tiers[name]}
    assert unsafe >= {name for name in everything if tiers[name]}  # more of them have work where more is written
    assert all(tiers[name] for name in unsafe)
    assert applied < unsafe
    assert "latest-tag" in everything


def test_reports_are_empty_where_none_are_wanted() -> None:
    result = Optimizer(Options(report=False)).run(Source("Dockerfile", TEXT))
    assert (len(result.applied), result.reported) == (2, ())
    assert {phase for phase, _ in observed(Options(), TEXT)} <= set(PHASES)


def test_no_cycle_holds_a_program() -> None:
    sources = [golden.source_of(files) for files in find(Path(__file__).parent.parent / "golden")]
    optimizer = Optimizer(Options(report=False))
    for source in sources:  # what is made once for all files may hold on to itself
        optimizer.run(source)
    gc.collect()
    gc.disable()
    try:
        for source in sources:
            optimizer.run(source)
        # a second reader reads what was changed: dockerfile-parse's words hold on to themselves, whatever we do
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        ours = {type(thing).__qualname__ for thing in gc.garbage if type(thing).__module__.startswith("dfopt.")}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert ours == set()
