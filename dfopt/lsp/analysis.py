"""One version of one document, analyzed: its findings, and edits for any of them, each through the gate."""

from __future__ import annotations

from dfopt.edit import Edit, apply_edits
from dfopt.editing.suppression import instruction_at, suppression
from dfopt.facts import NO_FACTS, UnansweredError
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.lsp.place import Places, minimal
from dfopt.optimizer import optimize
from dfopt.pass_selection import select_passes
from dfopt.record import Record, replace
from dfopt.refusal import Refusal
from dfopt.results import Reported
from dfopt.second_reader import disagreement
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dfopt.facts import Facts
    from dfopt.findings import Benefit, Fix
    from dfopt.pass_selection import Options
    from dfopt.profile.fit import FittingProfile
    from dfopt.results import Problem, Result, Suppression
    from dfopt.syntax.tree import Instruction


class Refused(Exception):
    """The gate or the second reader refuses a fix; the message says why."""


class Analysis:
    """The findings of one text. `options.tiers` determine what `fix_all` may apply; nothing else depends on them.
    `profile`: what fits the text of its profile.

    Every finding applies to this very text: fixes that others make possible come with the next version.
    """

    def __init__(
        self,
        text: str,
        name: str,
        options: Options,
        facts: Facts | None = None,
        unit: str = "utf-16",
        profile: FittingProfile | None = None,
    ) -> None:
        self.source = Source(name, text)
        self.options = options
        self.facts = facts or NO_FACTS
        self.places = Places(text, unit)
        self.profile = profile
        self._result = optimize(self.source, replace(options, tiers=()), self.facts)
        if profile is not None:
            self._result = profile.measured(self._result)
        self._program: Program | None = None
        self._edits: dict[tuple[object, ...], list[Edit] | Refused] = {}  # clients ask at each move of the cursor

    def _once(self, key: tuple[object, ...], make: Callable[[], list[Edit]]) -> list[Edit]:
        """What `make` gave or refused when it was first asked. Raises Refused."""
        known = self._edits.get(key)
        if known is None:
            try:
                known = make()
            except Refused as refusal:
                known = Refused(str(refusal))
            self._edits[key] = known
        if isinstance(known, Refused):
            raise Refused(str(known))
        return known

    @property
    def problem(self) -> Problem | None:
        """Why the text cannot be parsed; if set, there are no findings."""
        return self._result.problem

    @property
    def findings(self) -> tuple[Reported, ...]:
        return self._result.reported

    @property
    def result(self) -> Result:
        """The optimizer's result with no tier applied."""
        return self._result

    @property
    def suppressions(self) -> tuple[Suppression, ...]:
        return self._result.suppressions

    @property
    def program(self) -> Program:
        """The IR; only if there is no `problem`."""
        if self._program is None:
            self._program = Program(parse(self.source.text))
        return self._program

    def between(self, start: int, end: int) -> list[Reported]:
        """The findings that touch a span."""
        return [finding for finding in self.findings if finding.start <= end and start <= finding.end]

    def instruction(self, offset: int) -> Instruction | None:
        """The instruction that contains `offset`."""
        return instruction_at(self.program, offset)

    def edits(self, finding: Reported) -> list[Edit]:
        """The edits of a single fixable finding. Raises Refused."""
        key = "finding", finding.name, finding.start, finding.end, finding.message
        return self._once(key, lambda: self._edits_of(finding))

    def _edits_of(self, finding: Reported) -> list[Edit]:
        pass_ = next((candidate for candidate in select_passes(self.options) if candidate.name == finding.name), None)
        if pass_ is not None:
            try:
                others = list(pass_.find(self.program, self.facts))
            except UnansweredError as question:  # which the analysis has not asked
                question.withdraw()
                others = []
            for other in others:
                place = (other.start, other.end, other.message)
                if other.fix is not None and place == (finding.start, finding.end, finding.message):
                    return self._proved([other.fix])
        raise Refused("this finding is gone")

    def fix_all(self, tiers: Sequence[str] | None = None) -> list[Edit]:
        """What `dfopt fix` does to this text, in the tiers of the options or the given ones."""
        options: Options = replace(self.options, tiers=tuple(tiers or self.options.tiers))

        def make() -> list[Edit]:
            result = optimize(self.source, options, self.facts)
            return minimal(self.source.text, [change.edit for change in result.changes])

        return self._once(("all", options.tiers), make)

    def suppress(self, name: str, offset: int, whole_file: bool = False) -> list[Edit]:
        """A comment that suppresses a pass on the instruction at `offset`, or in the whole file. Raises Refused."""

        def make() -> list[Edit]:
            try:
                return self._proved([suppression(self.program, name, offset, whole_file)])
            except Refusal as refusal:
                raise Refused(refusal.reason) from None

        return self._once(("suppress", name, offset, whole_file), make)

    def _proved(self, fixes: list[Fix]) -> list[Edit]:
        verdict = admit(self.program, fixes)
        if verdict.program is None:
            raise Refused(verdict.reason)
        reason = disagreement(self.program, verdict.program)
        if reason:
            raise Refused(reason)
        edits = minimal(self.source.text, [edit for fix in fixes for edit in fix.edits])
        if apply_edits(self.source.text, edits) != verdict.program.text:
            raise AssertionError("the edits for the editor are not the edits that the gate saw")
        return edits


class StageFixes(Record):
    """The fixes of a tier in a stage: their number, the names of their passes, and what is known of what they bring."""

    stage: int
    safe: int
    unsafe: int
    names: tuple[str, ...]
    benefits: tuple[Benefit, ...]


def savings(analysis: Analysis) -> list[StageFixes]:
    """The fixable findings of each stage that has any."""
    stages = analysis.program.stages
    result: list[StageFixes] = []
    for stage in stages:
        stop = stages[stage.index + 1].node.start if stage.index + 1 < len(stages) else len(analysis.source.text) + 1
        findings = [
            finding for finding in analysis.findings if finding.fixable and stage.node.start <= finding.start < stop
        ]
        if findings:
            safe = sum(finding.tier == "safe" for finding in findings)
            names = tuple(dict.fromkeys(finding.name for finding in findings))
            benefits = tuple(finding.benefit for finding in findings if finding.benefit is not None)
            result.append(StageFixes(stage.index, safe, len(findings) - safe, names, benefits))
    return result
