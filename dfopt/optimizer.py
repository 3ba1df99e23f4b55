"""The optimizer: passes to a fix-point, every fix through the gate. A pure function of source, options and facts."""

from __future__ import annotations

import re
from time import perf_counter

from dfopt.conflicts import Taken
from dfopt.cost import benefit_of, by_saving
from dfopt.edit import Patchwork
from dfopt.facts import NO_FACTS, until_answered
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.ir.work import TooMuchWorkError
from dfopt.lazy import regex
from dfopt.pass_selection import Options, chosen, enlarges
from dfopt.passes.base import PHASES
from dfopt.record import Record
from dfopt.results import Applied, Problem, Reported, Result, Suppression
from dfopt.second_reader import disagreement
from dfopt.source import LineIndex
from dfopt.suppress import rules
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError
from dfopt.unblock import unblock_of
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from dfopt.edit import Edit
    from dfopt.facts import Facts
    from dfopt.findings import Finding
    from dfopt.passes.base import Pass
    from dfopt.passes.index import PassEntry
    from dfopt.source import Source
    from dfopt.suppress import SuppressionRule


# the lines that a message names; "(line 3)" by itself is one of another file
_LINES = regex(r"(?<!\()\blines? \d+(?:(?:, | and )\d+)*|(?<=\()line \d+(?!\))\b")
_ROUNDS = 10  # within a phase, and of all phases: a pass that never settles is a fault, and is reported


class Observer:
    """Is shown what the optimizer does, for people who work on passes. This one looks away."""

    def ran(self, phase: str, name: str, seconds: float, findings: int) -> None:
        """A pass looked at the text once."""

    def applied(self, phase: str, names: list[str], before: str, after: str) -> None:
        """Fixes of these passes were applied together."""


class Optimizer:
    """Optimizes files under one set of options. The passes are imported and made when the first file comes that they
    may have work for.

    arrange   what puts the findings of a round in order, before fixes that meet are chosen among (tests turn it round)
    observer  is shown what happens
    Raises UnknownNameError where `options` names a pass that does not exist.
    """

    def __init__(
        self,
        options: Options,
        observer: Observer | None = None,
        arrange: Callable[[list[Finding]], list[Finding]] | None = None,
    ) -> None:
        self.options = options
        self.observer = observer
        self.arrange = arrange
        self._entries = chosen(options)
        if not options.report:
            self._entries = [entry for entry in self._entries if not set(entry.tiers).isdisjoint(options.tiers)]
        self._words = sorted({word for entry in self._entries for word in entry.triggers})
        self._passes: dict[str, Pass] = {}
        self._text: str | None = None
        self._present: set[str] = set()

    def run(self, source: Source, facts: Facts | None = None, only: Container[tuple[str, int]] | None = None) -> Result:
        """Optimizes one file. Never raises for bad input: `Result.problem` tells of a file that BuildKit would refuse,
        and of one that takes more work than one file may.

        `only`: apply no other fixes than those of these identities (`Applied.identity` of an earlier run); the rest is
        reported as if its tier had not been asked for.
        """
        return until_answered(lambda: self._run(source, facts or NO_FACTS, only))

    def _run(self, source: Source, facts: Facts, only: Container[tuple[str, int]] | None) -> Result:
        try:
            program = Program(parse(source.text))
        except DockerfileError as error:
            line, column = LineIndex(source.text).position(min(error.offset, len(source.text)))
            return Result(source, source.text, problem=Problem(error.message, line + 1, column + 1))
        try:
            run = _Run(self, source, program, facts, only)
            result = run.result()
            if result.changed and disagreement(program, run.program):
                # the second reader objects to something: admit fixes only with its consent, one by one where need be
                result = _Run(self, source, program, facts, only, strict=True).result()
        except TooMuchWorkError:
            count = len(program.dockerfile.instructions)
            return _given_up(source, f"too much work: dfopt gave up on these {count:,} instructions")
        except RecursionError:
            return _given_up(source, "nested too deeply to be analysed")
        return result

    def findings(self, source: Source, facts: Facts | None = None) -> tuple[Program, list[Finding]]:
        """A text's program, and what passes find in it before any fix. Raises what `run` makes a problem of."""

        def find() -> tuple[Program, list[Finding]]:
            run = _Run(self, source, Program(parse(source.text)), facts or NO_FACTS)
            return run.program, [finding for phase in PHASES for finding in run.find(phase)]

        return until_answered(find)

    def passes(self, text: str, phase: str) -> list[Pass]:
        """The passes of a phase that may have work in this text, in running order."""
        entries = [entry for entry in self._entries if entry.phase == phase]
        if not entries:
            return []
        if text is not self._text:  # one lower-cased copy serves all phases
            self._text, lower = text, text.lower()
            self._present = {word for word in self._words if word in lower}
        return [
            self._pass(entry) for entry in entries if not entry.triggers or not self._present.isdisjoint(entry.triggers)
        ]

    def _pass(self, entry: PassEntry) -> Pass:
        pass_ = self._passes.get(entry.name)
        if pass_ is None:
            settings = self.options.settings
            pass_ = self._passes[entry.name] = entry.load()(settings.get(entry.name), settings.get("*"))
        return pass_


def optimize(
    source: Source, options: Options, facts: Facts | None = None, only: Container[tuple[str, int]] | None = None
) -> Result:
    """Optimizes one file, as `Optimizer.run`: for callers with a single file."""
    return Optimizer(options).run(source, facts, only)


class _Run:
    """One file on its way to the fix-point: phase by phase, each to its own, and again until none changes anything."""

    def __init__(
        self,
        optimizer: Optimizer,
        source: Source,
        program: Program,
        facts: Facts,
        only: Container[tuple[str, int]] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self.optimizer = optimizer
        self.source = source
        self.program = program
        self.tiers = frozenset(optimizer.options.tiers)
        self.facts = facts
        self.only = only
        self.strict = strict
        self.patch = Patchwork(source.text)
        self.applied: list[Applied] = []
        self.rounds = 0
        self.held: list[SuppressionRule] = []  # the suppressions of `held_in`
        self.held_in: Program | None = None
        self.starts: list[int] = []  # of the lines of `starts_of`
        self.starts_of = ""
        self.original_lines = LineIndex(source.text)
        # of the latest round:
        self.findings: list[Finding] = []
        self.refused: dict[tuple[str, int, int, str], str] = {}  # by the gate
        self.used: set[int] = set()  # suppressions that held findings back

    def result(self) -> Result:
        last_rounds: dict[str, _Round] = {}
        for _ in range(_ROUNDS):
            before = len(self.applied)
            # a fix may give work to a pass that had none: the passes of a phase are asked for when it is its turn
            for phase in PHASES:
                if phase in last_rounds and last_rounds[phase].program is self.program:
                    continue  # nothing was changed since then: it would find the same
                for _ in range(_ROUNDS):
                    self.refused, self.used = {}, set()
                    findings = self.find(phase)
                    if not self.advance(phase, findings):
                        break
                else:
                    return self.unsettled()
                last_rounds[phase] = _Round(self.program, findings, self.refused, self.used)
            if len(self.applied) == before:
                return self.settled([last_rounds[phase] for phase in PHASES])
        return self.unsettled()

    def settled(self, last_rounds: list[_Round]) -> Result:
        """The result at the fix-point, from the last round of each phase."""
        self.findings, self.refused, self.used = [], {}, set()
        for last in last_rounds:
            self.findings += last.findings
            self.refused.update(last.refused)
            self.used |= last.used
        reported: list[Reported] = []
        if self.optimizer.options.report:
            # what is found in text that a fix wrote is nothing that the file says
            found = [finding for finding in self.findings if not self.patch.is_written(finding.start, finding.end)]
            reported = [self.report(finding) for finding in found]
            reported += self.not_understood()
        suppressions = tuple(
            Suppression(tuple(sorted(rule.names)), start, start + rule.end - rule.start, rule.start in self.used)
            for rule in rules(self.program.dockerfile)
            if rule.own
            for start in [self.patch.original_offset(rule.start)]
        )
        return Result(
            self.source, self.patch.text, tuple(self.patch.changes()), tuple(self.applied), tuple(reported),
            suppressions, self.rounds,
        )  # fmt: skip

    def unsettled(self) -> Result:
        """The result where no fix-point was reached: nothing is changed, and every pass involved says so."""
        reason = f"the passes did not settle within {_ROUNDS} rounds"
        reported = [
            Reported(fix.name, fix.tier, fix.message, fix.start, fix.end, False, reason, True) for fix in self.applied
        ]
        return Result(self.source, self.source.text, reported=tuple(reported), rounds=self.rounds)

    def find(self, phase: str) -> list[Finding]:
        """The findings of a phase's passes that no comment holds back."""
        passes = self.optimizer.passes(self.program.text, phase)
        findings = [finding for pass_ in passes for finding in self.observed(phase, pass_)]
        arrange = self.optimizer.arrange
        return arrange(findings) if arrange is not None else findings

    def observed(self, phase: str, pass_: Pass) -> list[Finding]:
        observer = self.optimizer.observer
        if observer is None:
            return self.of_pass(pass_)
        started = perf_counter()
        findings = self.of_pass(pass_)
        observer.ran(phase, pass_.name, perf_counter() - started, len(findings))
        return findings

    def of_pass(self, pass_: Pass) -> list[Finding]:
        """A pass's findings that no comment holds back."""
        if self.held_in is not self.program:
            self.held_in, self.held = self.program, rules(self.program.dockerfile)
        held = self.held
        if not held:
            return list(pass_.find(self.program, self.facts))
        lines = LineIndex(self.program.text)
        nodes = self.program.dockerfile.instructions
        findings: list[Finding] = []
        for finding in pass_.find(self.program, self.facts):
            spans = [(lines.line(finding.start) + 1, lines.line(finding.end) + 1)]
            if finding.fix is not None:
                for rewrite in finding.fix.rewrites:
                    spans += [(nodes[i].line, nodes[i].last) for i in rewrite.claim().steps if i < len(nodes)]
            holding = [rule for rule in held if any(rule.covers(pass_, *span) for span in spans)]
            self.used.update(rule.start for rule in holding)
            if not holding:
                findings.append(finding)
        return findings

    def advance(self, phase: str, findings: list[Finding]) -> bool:
        """Applies what this round may apply; False where that is nothing."""
        chosen: list[Finding] = []
        taken = Taken()
        if phase == "restructure" and len(findings) > 1:
            from dfopt.analysis.leftover_caches import leftover_bytes  # loads what analyses commands

            cleans = self.optimizer.passes(self.program.text, "caches")
            findings = by_saving(findings, leftover_bytes(self.program) if cleans else 0)
        for finding in findings:
            fix = finding.fix
            if fix is None or fix.tier not in self.tiers or not fix.edits or enlarges(finding, self.optimizer.options):
                continue
            if self.only is not None and (finding.name, self.patch.original_offset(finding.start)) not in self.only:
                continue
            if taken.take(fix):
                chosen.append(finding)
        program = self.admit(chosen) if chosen else None
        if program is None and len(chosen) > 1:
            chosen, program = self.admissible(chosen)
        if program is None:
            return False
        self.rounds += 1
        pairs: list[tuple[Edit, int]] = []
        for finding in chosen:
            fix = finding.fix
            assert fix is not None
            author, message = len(self.applied), self.with_original_lines(finding.message)
            self.applied.append(
                Applied(
                    author, finding.name, fix.tier, message, self.patch.original_offset(finding.start),
                    self.patch.original_offset(finding.end), self.rounds, fix.declares, benefit_of(finding),
                )
            )  # fmt: skip
            pairs += [(edit, author) for edit in fix.edits]
        before = self.patch.text
        self.patch.apply(pairs)
        if self.patch.text != program.text:
            raise AssertionError("the text that the gate saw is not the text that was made")
        self.program = program
        if self.optimizer.observer is not None:
            self.optimizer.observer.applied(phase, [finding.name for finding in chosen], before, self.patch.text)
        return True

    def admissible(self, findings: list[Finding]) -> tuple[list[Finding], Program | None]:
        """Of findings that the gate refused together, in their order: those that it admits one after the other, by
        halves; and the program after them."""
        accepted: list[Finding] = []
        program: Program | None = None
        middle = len(findings) // 2
        waiting = [findings[middle:], findings[:middle]]
        while waiting:
            part = waiting.pop()
            admitted = self.admit([*accepted, *part])
            if admitted is not None:
                accepted += part
                program = admitted
            elif len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
        return accepted, program

    def admit(self, findings: list[Finding]) -> Program | None:
        """The program after these findings' fixes, or None; a lone finding's refusal is remembered."""
        verdict = admit(self.program, [finding.fix for finding in findings if finding.fix is not None])
        reason = verdict.reason
        if verdict.program is not None and self.strict:
            reason = disagreement(self.program, verdict.program)
        if verdict.program is not None and not reason:
            return verdict.program
        self.refused[_key(findings[-1])] = reason
        return None

    def not_understood(self) -> Iterator[Reported]:
        """What no pass could look into, where no finding says so already."""
        said: dict[str, list[Finding]] = {}
        for finding in self.findings:
            said.setdefault(finding.reason, []).append(finding)
        for step, why in self.program.not_understood():
            if not any(f.start <= step.node.start <= f.end for f in said.get(why, ())):
                start, end = (self.patch.original_offset(at) for at in (step.node.start, step.node.end))
                message = f"this {step.effective.keyword} is left alone"
                yield Reported("shell-syntax", "suggestion", message, start, end, False, why)

    def report(self, finding: Finding) -> Reported:
        start, end = self.patch.original_offset(finding.start), self.patch.original_offset(finding.end)
        message = self.with_original_lines(finding.message)
        refusal = self.refused.get(_key(finding)) if finding.fix is not None else None
        reason = self.with_original_lines(finding.reason if refusal is None else refusal)
        if refusal is not None:
            return Reported(finding.name, finding.tier, message, start, end, False, reason, True)
        larger, fixable = enlarges(finding, self.optimizer.options), finding.fix is not None
        unblock = self.with_original_lines(finding.unblock or unblock_of(finding.reason))
        if larger and finding.tier in self.tiers:
            fixable, reason = False, f"the image would get {human(larger)} larger"
            unblock = f"select it by name: --select {finding.name} --unsafe"
        return Reported(
            finding.name, finding.tier, message, start, end, fixable, reason, False, unblock, benefit_of(finding)
        )

    def with_original_lines(self, text: str) -> str:
        """A message about the current text, with the lines that it names counted as in the original."""
        if self.patch.text == self.source.text or "line" not in text:
            return text
        if self.starts_of is not self.patch.text:
            self.starts_of = self.patch.text
            self.starts = [0, *[match.end() for match in re.finditer("\n", self.patch.text)]]
        starts, index = self.starts, self.original_lines

        def original(match: re.Match[str]) -> str:
            number = int(match[0])
            if not 0 < number <= len(starts):
                return match[0]
            return str(index.line(self.patch.original_offset(starts[number - 1])) + 1)

        return _LINES.sub(lambda match: re.sub(r"\d+", original, match[0]), text)


def _given_up(source: Source, reason: str) -> Result:
    return Result(source, source.text, problem=Problem(reason, 1, 1))


def _key(finding: Finding) -> tuple[str, int, int, str]:
    return finding.name, finding.start, finding.end, finding.message


class _Round(Record):
    """A phase's round over a program: its findings, what the gate refused, and the suppressions that held others."""

    program: Program
    findings: list[Finding]
    refused: dict[tuple[str, int, int, str], str]
    used: set[int]
