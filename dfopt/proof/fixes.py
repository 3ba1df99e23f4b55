"""`fix --verify`: builds all fixes of a file and compares the result with the original; if it fails, finds the culprits
and drops only them.

The optimizer produces every candidate set of fixes from the original file, through the gate (`optimize(only=...)`): no
text is assembled here. The returned result is one that was built.
"""

from __future__ import annotations

import time

from dfopt.proof.differences import declarations_of
from dfopt.proof.errors import ProofError
from dfopt.proof.verdict import OriginalImage, ProofVerdict, build_original, compare_with_original
from dfopt.record import Record, replace
from dfopt.results import Reported
from dfopt.source import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.proof.lab import Lab
    from dfopt.proof.stage_builds import BuildFacts
    from dfopt.proof.stored_verdicts import StoredVerdicts
    from dfopt.proof.verdict import ImageCost
    from dfopt.results import Applied, Result

    Identity = tuple[str, int]
    Apply = Callable[[frozenset[Identity] | None], Result]


class Dropped(Record):
    """A fix that failed, and why. `needs`: it may be sound, but depends on one that failed."""

    fix: Applied
    reason: str
    needs: bool = False


class Proof(Record):
    """What was proved for one file. `result`: only the fixes that passed; `verdict`: that of the result, None if
    nothing is left to change; `builds`: the number of builds."""

    result: Result
    verdict: ProofVerdict | None
    dropped: tuple[Dropped, ...]
    before: ImageCost | None
    builds: int

    def with_dropped(self, earlier: tuple[Dropped, ...]) -> Proof:
        """This proof, which also tells what was dropped before: fixes that were not tried again."""
        more = tuple(drop for drop in earlier if drop not in self.dropped)
        return replace(self, result=_told(self.result, more), dropped=(*self.dropped, *more))  # type: ignore[no-any-return]


def prove_fixes(lab: Lab, apply: Apply, path: str, facts: BuildFacts | None = None) -> Proof:
    """Proves the fixes of the file at `path`. `apply`: the optimizer on its content, with only the fixes of the given
    identities, or with all; `facts`: facts from builds. Raises ProofError if there are fixes but the original file
    does not build; EngineError, ImageError."""
    full = apply(None)
    has_questions = facts is not None and facts.has_questions
    if full.problem is not None or not (full.changed or has_questions):
        return Proof(full, None, (), None, 0)
    lab.say("built as it is")
    try:
        base = build_original(lab, full.source.to_bytes(), path)
    except ProofError as failure:
        if full.changed or facts is None:
            raise
        facts.give_up(str(failure))
        return Proof(apply(None), None, (), None, 1)
    try:
        while facts is not None and facts.has_questions:
            facts.learn(lab, base.built, path)
            full = apply(None)
        builds = 1 + (facts.builds if facts is not None else 0)
        if not full.changed:
            return Proof(full, None, (), base.figures, builds)
        verdicts = Verdicts(lab, base, path)
        if facts is not None and facts.has_evidence:
            full, _ = refined(verdicts, lambda: apply(None), full, facts)
        if not full.changed:
            return Proof(full, None, (), base.figures, builds + verdicts.builds)
        proof = Trials(verdicts, apply).prove(full)
        return replace(proof, builds=builds + verdicts.builds)  # type: ignore[no-any-return]
    finally:
        lab.engine.remove(base.built.image)


_NO_TIME = "the budget of minutes is spent (a further run continues)"


class BudgetSpentError(Exception):
    """Another build is needed, and none is left."""


class Verdicts:
    """The verdicts on results for one file, each built unless it was before, here or in an earlier run. `builds`: how
    many were built; `reused`: how many an earlier run had built."""

    def __init__(self, lab: Lab, base: OriginalImage, path: str, stored: StoredVerdicts | None = None) -> None:
        self.lab = lab
        self.base = base
        self.path = path
        self.stored = stored
        self.builds = self.reused = 0
        self._known: dict[tuple[str, frozenset[Identity]], ProofVerdict] = {}
        self._most: int | None = None
        self._deadline: float | None = None

    def limit(self, builds: int | None, deadline: float | None) -> None:
        """From now on, no build beyond so many in all, and none after `deadline` (of time.monotonic)."""
        self._most, self._deadline = builds, deadline

    def of(self, result: Result, *, measure: bool = False) -> ProofVerdict:
        """The verdict on a result; with `measure`, built without the engine's cache. Raises BudgetSpentError."""
        if not result.changed:
            return ProofVerdict("", (), 0, self.base.figures, self.base.figures)
        key = result.output, frozenset(fix.identity for fix in result.applied)
        verdict = self._known.get(key)
        if verdict is None or (measure and verdict.after is not None and verdict.after.seconds is None):
            verdict = self._known[key] = self._stored_or_built(result, measure)
        return verdict

    def _stored_or_built(self, result: Result, measure: bool) -> ProofVerdict:
        declared = declarations_of(result.applied)
        if self.stored is not None:
            verdict = self.stored.get(self.base.figures, result.output, declared, measure)
            if verdict is not None:
                self.reused += 1
                return verdict
        if self._most is not None and self.builds >= self._most:
            raise BudgetSpentError("the budget of builds is spent (a further run continues)")
        lab, left = self.lab, None
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise BudgetSpentError(_NO_TIME)
            lab = lab.limited(left)
        names = ", ".join(sorted({fix.name for fix in result.applied}))
        self.lab.say(f"built with {len(result.applied)} fixes: {names}")
        self.builds += 1
        verdict = compare_with_original(lab, self.base, encode(result.output), self.path, declared, measure=measure)
        if self._deadline is not None and not verdict.holds and time.monotonic() >= self._deadline:
            raise BudgetSpentError(_NO_TIME)  # perhaps it failed because it was cut off
        if self.stored is not None:
            self.stored.put(result.output, declared, measure, verdict)
        return verdict


_TRIES = 8  # of one split by evidence, or of one base


def refined(
    verdicts: Verdicts, make: Callable[[], Result], result: Result, facts: BuildFacts
) -> tuple[Result, ProofVerdict]:
    """The result and the verdict on it; where it fails for want of what the failure names, what a split by evidence
    takes along or what is installed on another base is added, and the result made and built again. Where that cannot
    be, or saves nothing, the result is what remains, and the verdict that on what was tried (see `loses`). `make`: the
    result by what the facts are then. Raises BudgetSpentError."""
    verdict = verdicts.of(result)
    for _ in range(_TRIES):
        if verdict.holds:
            break
        facts.learn_failure(verdicts.lab, verdicts.path, verdict, result.output)
        again = make()
        if again.output == result.output:
            break
        if loses(result, again):
            return again, verdict
        verdicts.lab.say(f"it lacked something: {verdict.failure}")
        result, verdict = again, verdicts.of(again)
    larger = verdict.after is not None and verdict.after.total >= verdicts.base.figures.total
    if verdict.holds and larger and facts.give_up_base(result.output):
        return make(), verdict
    return result, verdict


def loses(result: Result, again: Result) -> bool:
    """Whether a fix of `result` is none of `again`."""
    return not {fix.identity for fix in result.applied} <= {fix.identity for fix in again.applied}


class Trials:
    """The search for the fixes of a result that hold."""

    def __init__(self, verdicts: Verdicts, apply: Apply) -> None:
        self.verdicts = verdicts
        self.lab = verdicts.lab
        self.apply = apply
        self.reasons: dict[Identity, str] = {}

    def prove(self, full: Result, *, measure: bool = True) -> Proof:
        """The proof of as many fixes of `full` as hold; with `measure`, the last build is one without the engine's
        cache. Raises BudgetSpentError."""
        # What one fix declares must not hide what another does: those that declare much come on top of the others,
        # when these have been proved by themselves.
        strict, wide = _by_width(full.applied)
        sound = self.cull(strict, frozenset(), measure=measure and not wide)
        sound = self.cull(wide, sound, measure=measure)
        result = self.apply(sound)
        if not result.changed:
            return self.proof(result, None, self.dropped(full, result))
        final = self.verdicts.of(result, measure=measure)
        if not final.holds:  # it passed with the engine's cache, but fails without it
            nothing = self.apply(frozenset())
            self.reasons = {fix.identity: final.failure for fix in full.applied}
            return self.proof(nothing, None, self.dropped(full, nothing))
        return self.proof(result, final, self.dropped(full, result))

    def cull(
        self,
        fixes: list[Identity],
        sure: frozenset[Identity],
        whole_verdict: ProofVerdict | None = None,
        *,
        measure: bool = False,
    ) -> frozenset[Identity]:
        """`sure`, which passes, and as many of `fixes` as pass together with it. `whole_verdict`: the verdict on
        all of them. `measure`: all of them are likely to be the result."""
        if not fixes:
            return sure
        verdict = whole_verdict
        if verdict is None:
            verdict = self.verdicts.of(self.apply(sure | frozenset(fixes)), measure=measure)
            if not verdict.holds:
                self.lab.say(f"that does not hold: {verdict.failure}")
        if verdict.holds:
            return sure | frozenset(fixes)
        if len(fixes) == 1:
            self.reasons[fixes[0]] = verdict.failure
            return sure
        half = len(fixes) // 2
        sound = self.cull(fixes[:half], sure)
        # if all of the left half was kept, the right half must fail: there is no need to try it as a whole
        again = verdict if sound == sure | frozenset(fixes[:half]) else None
        return self.cull(fixes[half:], sound, again)

    def dropped(self, full: Result, result: Result) -> tuple[Dropped, ...]:
        here = {fix.identity for fix in result.applied}
        dropped_fixes: list[Dropped] = []
        for fix in full.applied:
            if fix.identity in self.reasons:
                dropped_fixes.append(Dropped(fix, self.reasons[fix.identity]))
            elif fix.identity not in here:
                dropped_fixes.append(Dropped(fix, "it can only be made together with a fix that was dropped", True))
        return tuple(dict.fromkeys(dropped_fixes))

    def proof(self, result: Result, verdict: ProofVerdict | None, dropped: tuple[Dropped, ...]) -> Proof:
        return Proof(_told(result, dropped), verdict, dropped, self.verdicts.base.figures, 0)


def _by_width(applied: tuple[Applied, ...]) -> tuple[list[Identity], list[Identity]]:
    """The fixes that declare little, and those that declare paths throughout the image. Both in file order, with safe
    fixes first: they are the least likely culprits."""
    ordered = sorted(applied, key=lambda fix: (fix.tier != "safe", fix.start, fix.number))
    strict: dict[Identity, None] = {}
    wide: dict[Identity, None] = {}
    for fix, declared in zip(ordered, declarations_of(ordered), strict=True):
        everywhere = "/**" in (*declared.paths, *declared.modes, *declared.owners)
        (wide if declared.files or everywhere else strict)[fix.identity] = None
    return [identity for identity in strict if identity not in wide], list(wide)


def _told(result: Result, dropped: tuple[Dropped, ...]) -> Result:
    """The result, in which each dropped fix is a refusal with its reason."""
    gone = {drop.fix.identity for drop in dropped}
    reported = [report for report in result.reported if not report.fixable or (report.name, report.start) not in gone]
    reported += [
        Reported(drop.fix.name, drop.fix.tier, drop.fix.message, drop.fix.start, drop.fix.end, False, drop.reason)
        for drop in dropped
    ]
    return replace(result, reported=tuple(reported))  # type: ignore[no-any-return]
