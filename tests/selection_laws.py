"""The laws of selections: what more passes make of a file is no worse than what fewer of them make.

For selections S and T, S a part of T, of the same file:

- T's fixes are estimated to save at least what S's do, but for the bytes that strip-suid gives for setuid files;
- a pass whose fix S has, and T has not, has nothing to do in T's output: it does not refuse there what it did alone;
- the image of T does not run as root where that of S does not;
- of what T adds, nothing that only a shipped image is served by (a cleanup, a user, rights) stands in a stage that no
  image ships;
- a second run of T changes nothing.

Of levels: a higher one saves at least what a lower one does, no fix of it makes the image larger, and a second run
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.cost import saving
from dfopt.facts import Facts
from dfopt.forecast import shape_of
from dfopt.ir.program import Program
from dfopt.optimizer import Optimizer
from dfopt.pass_selection import Options
from dfopt.passes.index import entries
from dfopt.record import replace
from dfopt.results import Applied, Result
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

# What serves a shipped image alone: a stage that is thrown away needs none of it
_SHIPPED_ONLY = ("strip-suid", "add-user", "exec-form", "apt-cleanup", "dnf-cleanup", "zypper-cleanup", "flatten")
TIERS_OF_LEVEL = {1: ("safe",), 2: ("safe", "unsafe")}
NAMES = tuple(entry.name for entry in entries())
_BUYS = "strip-suid"  # whoever selects it gives bytes for what it does
RESTRUCTURING = ("multi-stage", "swap-base", "flatten")


class Selections:
    """The results of selections of one file. `options`: what holds for all of them beside the passes."""

    def __init__(self, source: Source, facts: Facts, options: Options) -> None:
        self.source = source
        self.facts = facts
        self.options = options
        self._results: dict[frozenset[str], Result] = {}

    def result(self, names: frozenset[str]) -> Result:
        known = self._results.get(names)
        if known is None:
            known = self._results[names] = self.run(names, self.source)
        return known

    def run(self, names: frozenset[str], source: Source) -> Result:
        options = replace(self.options, select=tuple(sorted(names)), ignore=())
        return Optimizer(options).run(source, self.facts)

    def of_one(self, name: str) -> Result:
        return self.result(frozenset((name,)))

    def active(self) -> list[str]:
        """The passes that change the file when they run alone."""
        return [name for name in NAMES if self.of_one(name).changed]

    def pairs(self) -> Iterator[str]:
        """What is broken by two passes, of which one changes the file and the other works on that, or beside it."""
        active = self.active()
        for first in active:
            after = Source(self.source.name, self.of_one(first).output)
            for second in NAMES:
                if second == first or (second in active and second < first):
                    continue
                if second in active or self.run(frozenset((second,)), after).changed:
                    yield from self.monotone(frozenset((first, second)), [frozenset((first,)), frozenset((second,))])

    def wholes(self) -> Iterator[str]:
        """What is broken by all passes together, held against all without one, and without those that restructure."""
        everything = frozenset(self.active()) | frozenset(RESTRUCTURING)
        fewer = [everything - {name} for name in everything]
        yield from self.monotone(everything, [*fewer, everything - frozenset(RESTRUCTURING)])

    def levels(self) -> Iterator[str]:
        """What is broken by levels, each held against the one below."""
        below = 0
        for level in (1, 2):
            options = replace(self.options, select=(), ignore=(), level=level, tiers=TIERS_OF_LEVEL[level])
            result = Optimizer(options).run(self.source, self.facts)
            saved = saving(fix.benefit for fix in result.applied)
            # what was in the image that is shipped may lie in a stage that is not, of which no table knows the size
            restructured = any(fix.name in RESTRUCTURING and not _saved_by(fix) for fix in result.applied)
            if saved < below and not restructured:
                yield f"-O{level}: saves {saved:,} bytes, the level below {below:,}"
            for fix in result.applied:
                if fix.benefit is not None and fix.benefit.bytes < 0:
                    yield f"-O{level}: {fix.name} makes the image {-fix.benefit.bytes:,} bytes larger"
            again = Source(self.source.name, result.output)
            if result.changed and Optimizer(options).run(again, self.facts).changed:
                yield f"-O{level}: a second run changes the file again"
            below = saved

    def recipe(self, name: str, whole: Result) -> Iterator[str]:
        """What is broken by the result of a recipe, held against each of the passes that it ran."""
        if whole.changed and self.again(whole):
            yield f"recipe {name}: a second run changes the file again"
        for fix in whole.applied:
            alone = self.of_one(fix.name)
            yield from self.not_worse(f"recipe {name}", whole, fix.name, alone)

    def monotone(self, names: frozenset[str], parts: list[frozenset[str]]) -> Iterator[str]:
        whole = self.result(names)
        told = " + ".join(sorted(names)) if len(names) < 4 else "all"
        if whole.problem is not None:
            return
        if whole.changed and self.run(names, Source(self.source.name, whole.output)).changed:
            yield f"{told}: a second run changes the file again"
        yield from (f"{told}: {what}" for what in idle(whole))
        for part in parts:
            missing = ", ".join(sorted(names - part))
            yield from self.not_worse(told, whole, f"without {missing}", self.result(part))

    def not_worse(self, told: str, whole: Result, other: str, part: Result) -> Iterator[str]:
        saved, less = (_saved(result) for result in (whole, part))
        unknown = any(fix.name in RESTRUCTURING and fix.benefit is None for fix in whole.applied)
        if saved < less and not unknown:
            yield f"{told}: saves {saved:,} bytes, {other} {less:,}"
        if shape_of(part.output).root is False and shape_of(whole.output).root is not False:
            yield f"{told}: runs as root, {other} does not"
        if unknown:
            return  # another image, of which no table knows how much smaller it is
        here = {fix.name for fix in whole.applied}
        refusals = {report.name: report.reason for report in whole.reported if report.reason}
        for name in sorted({fix.name for fix in part.applied} - here):
            if name in refusals and saved <= less:
                yield f"{told}: {name} is lost, which {other} has: {refusals[name]}"

    def again(self, result: Result) -> bool:
        names = frozenset(fix.name for fix in result.applied)
        return self.run(names, Source(self.source.name, result.output)).changed


def _saved_by(fix: Applied) -> int:
    return saving((fix.benefit,))


def _saved(result: Result) -> int:
    return saving(fix.benefit for fix in result.applied if fix.name != _BUYS)


def idle(result: Result) -> Iterator[str]:
    """What a result adds to stages that no image ships, and that serves a shipped image alone."""
    if not result.changed:
        return
    program = Program(parse(result.output))
    shipped = program.shipped()
    dead = [
        (stage.node.start, stage.steps[-1].node.end if stage.steps else stage.node.end)
        for stage in program.stages
        if stage.index not in shipped
    ]
    names = {fix.number: fix.name for fix in result.applied}
    shift = 0
    for change in result.changes:
        start = change.start + shift
        shift += len(change.text) - (change.end - change.start)
        by = {names[author] for author in change.authors} if change.text.strip() else set()
        for name in sorted(by & set(_SHIPPED_ONLY)):
            if by == {name} and any(first <= start and start + len(change.text) <= last for first, last in dead):
                yield f"{name} writes into a stage that no image ships: {change.text.strip()[:80]!r}"
