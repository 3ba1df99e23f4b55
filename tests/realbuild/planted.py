"""Passes that do harm, for tests of the proof: the gate lets them through, since what they declare is what they do to
the text. They are no passes of dfopt: a test plants them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.ir.program import Program
from dfopt.passes import base
from dfopt.passes import index as _index
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords


class _Harm(Pass):
    """Replaces the last word of a command."""

    name = "planted-harm"
    group = "correct"
    phase = "runtime"
    default = False
    order = 45
    old = ""
    new = ""
    tier = "safe"

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                if step.node.keyword != "RUN" or self.old not in step.node.joined.text:
                    continue
                for one in program.commands(step).invocations:
                    last = one.node.words[-1]
                    if last.value == self.old:
                        rewrite = EditWords(step.index, one.node.start, len(one.node.words) - 1, 1, (self.new,))
                        at = program.text.index(self.old, step.node.start)
                        edit = Edit(at, at + len(self.old), self.new)
                        message = f"{self.new} in place of {self.old}"
                        yield Finding(self.name, message, at, at + len(self.old), Fix((edit,), (rewrite,), self.tier))


class LosesFile(_Harm):
    name = "planted-loss"
    old = "/data/kept"
    new = "/data/lost"


class BreaksBuild(_Harm):
    name = "planted-break"
    old = "/data/two"
    new = "/no/such/directory"


class BreaksProgram(_Harm):
    """Says that it changes everything, so that only a smoke test can tell."""

    name = "planted-smoke"
    old = "/data/three"
    new = "/data/drei"
    tier = "unsafe"
    declares = Declares(files="any")


PLANTED = (LosesFile, BreaksBuild, BreaksProgram)
for _cls in (_Harm, *PLANTED):
    base._registry.pop(_cls.name, None)


def plant(monkeypatch: pytest.MonkeyPatch, *passes: type[Pass]) -> None:
    """Adds passes to dfopt's own, for as long as the test runs."""
    base.registered()
    known = _index.entries()
    for cls in passes:
        monkeypatch.setitem(base._registry, cls.name, cls)
    rows = [_index.PassEntry(*row) for row in _index.rows() if row[0] in {cls.name for cls in passes}]
    together = sorted((*known, *rows), key=lambda entry: (entry.order, entry.name))
    monkeypatch.setattr(_index, "_entries", tuple(together))
