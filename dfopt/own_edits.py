"""Each finding with its own edits of the file as it is, proved by themselves, for reports whose readers apply findings
one by one."""

from __future__ import annotations

from dfopt.edit import Edit, ordered
from dfopt.gate import admit
from dfopt.ir.work import LIMIT, TooMuchWorkError
from dfopt.record import Record
from dfopt.second_reader import disagreement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dfopt.findings import Finding, Fix
    from dfopt.ir.program import Program
    from dfopt.results import Applied, Reported, Result

    Identity = tuple[str, int]
    Rerun = Callable[[frozenset[Identity]], Result]

_MOST = 12  # members of a group that are tried out one by one
_RERUNS = 64  # of one file; fewer where the file takes much work


class OwnEdits(Record):
    """The edits of the original text that make one finding and pass the gate by themselves.

    together  the applied fixes that it cannot be applied apart from: `edits` make those too. Where `edits` is empty,
              the finding waits for them: they come first, or one of them is unsafe while the finding is safe (no edit
              of a safe finding makes an unsafe change)
    """

    edits: tuple[Edit, ...] = ()
    together: tuple[Applied, ...] = ()


class Separator:
    """Takes the findings of one result apart.

    result    of a run of the optimizer
    program   the original text, as the optimizer saw it
    findings  what the passes find in the original text
    rerun     the optimizer with no other fixes than those of these identities (`Applied.identity`)
    """

    def __init__(self, result: Result, program: Program | None, findings: Sequence[Finding], rerun: Rerun) -> None:
        self.result = result
        self.program = program
        self.rerun = rerun
        spent = LIMIT - program.work.left if program is not None else 0
        self.reruns = min(_RERUNS, (LIMIT - spent) // max(1, spent))
        self.alone: dict[tuple[str, int, int, str, str], Fix] = {
            (finding.name, finding.start, finding.end, finding.message, finding.tier): finding.fix
            for finding in findings
            if finding.fix is not None and finding.fix.edits
        }

    def of_all(self) -> Mapping[tuple[str, int, int, str], OwnEdits]:
        """The own edits of the fixes that were applied, and of those that only their tier kept from being applied, by
        name, start, end and message of the finding."""
        found: dict[tuple[str, int, int, str], OwnEdits] = {}
        for fix in self.result.applied:
            found[fix.name, fix.start, fix.end, fix.message] = self.of_applied(fix)
        for other in self.result.reported:
            if other.fixable:
                edits = self.proved(other)
                key = other.name, other.start, other.end, other.message
                found.setdefault(key, OwnEdits((), self.met_by(other)) if edits is None else OwnEdits(edits))
        return found

    def of_applied(self, fix: Applied) -> OwnEdits:
        """The own edits of a fix that was applied: as found in the original text, else with the fewest others."""
        if len(self.result.applied) == 1:
            return OwnEdits(tuple([change.edit for change in self.result.changes]))
        edits = self.proved(fix)
        if edits is not None:
            return OwnEdits(edits)
        for group in ([fix], _touching(self.result, fix), _earlier(self.result, fix), list(self.result.applied)):
            result = self.with_fix(fix, group)
            if result is not None:
                break
        else:  # it depends on nothing that was applied, and is not found without it: say so of all
            return OwnEdits((), tuple(other for other in self.result.applied if other is not fix))
        for member in group if len(group) <= _MOST else ():
            fewer = [other for other in group if other is not member]
            smaller = self.with_fix(fix, fewer) if member is not fix else None
            if smaller is not None:
                group, result = fewer, smaller
        together = tuple(other for other in group if other is not fix)
        mixed = fix.tier == "safe" and any(other.tier != "safe" for other in result.applied)
        return OwnEdits(() if mixed else tuple([change.edit for change in result.changes]), together)

    def proved(self, finding: Applied | Reported) -> tuple[Edit, ...] | None:
        """The edits of a finding that is found in the original text as it is; None where the gate or the second reader
        refuses them, or it is not found there."""
        fix = self.alone.get((finding.name, finding.start, finding.end, finding.message, finding.tier))
        if fix is None or self.program is None:
            return None
        try:
            verdict = admit(self.program, [fix])
        except TooMuchWorkError:
            return None
        if verdict.program is None or disagreement(self.program, verdict.program):
            return None
        return tuple(ordered(fix.edits))

    def with_fix(self, fix: Applied, group: Sequence[Applied]) -> Result | None:
        """The result with the fixes of a group alone; None where the fix is not among them, or says another thing."""
        if self.reruns <= 0:
            return None
        self.reruns -= 1
        result = self.rerun(frozenset(member.identity for member in group))
        same = any((other.identity, other.message) == (fix.identity, fix.message) for other in result.applied)
        return result if same else None

    def met_by(self, finding: Reported) -> tuple[Applied, ...]:
        """The applied fixes at the place of a finding; all, where none is."""
        applied = self.result.applied
        return tuple(fix for fix in applied if fix.start <= finding.end and finding.start <= fix.end) or applied


def _touching(result: Result, fix: Applied) -> list[Applied]:
    """A fix with those that share a change with it, and those of other rounds that touch the same place, directly or
    through others."""
    together = {fix.number}
    while True:
        size = len(together)
        for change in result.changes:
            if together & change.authors:
                together |= change.authors
        for member in [other for other in result.applied if other.number in together]:
            together |= {
                other.number
                for other in result.applied
                if other.round != member.round and other.start <= member.end and member.start <= other.end
            }
        if len(together) == size:
            return [other for other in result.applied if other.number in together]


def _earlier(result: Result, fix: Applied) -> list[Applied]:
    return [other for other in result.applied if other.number <= fix.number]
