"""`fix -O3`: builds and measures candidates for a file; the smallest image that holds is the result.

A candidate is what the optimizer makes of the file with one choice of restructuring: split or not, on which base, in
one layer or not, caches cleaned up or kept in mounts. Choices that give the same text are one candidate. The first is
the file without restructuring: fixes that fail there are left out of all others. Then the candidates are built whole,
the smallest by estimate first (a base that only a trial can prove counts half of what it would save), and those in one
layer where the dead bytes that this takes off are many: such an image shares no layer with others. The smallest that
holds is proved fix by fix, as `prove_fixes` does it; last, those that failed and may become smaller still are tried
without the fixes that made them fail.
"""

from __future__ import annotations

import time

from dfopt.cost import saving
from dfopt.proof.fixes import BudgetSpentError, Proof, Trials, Verdicts, loses, refined
from dfopt.proof.verdict import ProofVerdict, build_original
from dfopt.record import Record, replace
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.pass_selection import Options
    from dfopt.proof.fixes import Apply, Dropped, Identity
    from dfopt.proof.lab import Lab
    from dfopt.proof.stage_builds import BuildFacts
    from dfopt.proof.stored_verdicts import StoredVerdicts
    from dfopt.proof.verdict import ImageCost
    from dfopt.results import Result

_EVIDENCE = {"split by evidence": "evidence", "down to what it needs": "minimum"}
_RESTRUCTURING = ("multi-stage", "swap-base", "flatten")
_SPLITS = ("auto", "slim", "distroless")
_DEAD_SHARE = 0.05  # of an image's bytes: fewer dead ones are not worth an image that shares no layer
_BASES = ("slim", "cuda-base", "alpine", "busybox", "distroless-cc", "distroless-base", "distroless-static", "scratch")
_HARDENED = ("chainguard-glibc", "chainguard-static", "dhi-glibc", "dhi-static", "dhi", "ubi-micro")


class SearchBudget(Record):
    """The most builds of candidates, beside that of the original and the last one of the result; and the most seconds
    in which they begin (None: as many as it takes): what holds by then is proved even so, within the builds."""

    builds: int
    seconds: float | None = None


class Candidate(Record):
    """One choice of options, and what the optimizer makes of the file with it. `saving`: the bytes that its fixes are
    estimated to save; `layered`: of one in one layer, the name of the same in layers; `trial`: it stands on a base that
    no proof allows."""

    name: str
    options: Options
    result: Result
    saving: int
    layered: str = ""
    trial: bool = False

    @property
    def rank(self) -> int:
        """What stands first among candidates is smaller here."""
        return -self.saving // 2 if self.trial else -self.saving


class Outcome(Record):
    """What became of a candidate. `bytes`: of the layers of its image, None where it was not built; `state`: "chosen",
    "larger", "failed", "not proved" (built, but not fix by fix) or "not built"; `reason`: why it, or a fix of it, was
    dropped."""

    name: str
    saving: int
    bytes: int | None
    state: str
    reason: str = ""


class SearchResult(Record):
    """`proof`: of the result; `options`: what the optimizer made it with; `reused`: verdicts of an earlier run, which
    cost no build."""

    proof: Proof
    options: Options
    outcomes: tuple[Outcome, ...] = ()
    reused: int = 0


def candidates(optimize: Callable[[Options], Result], options: Options, *, has_judge: bool = False) -> list[Candidate]:
    """The different texts that the choices of `options` give, the one without restructuring first, then by estimated
    size. What the user set of a pass is no choice. `has_judge`: a smoke test does, so that bases are tried which no
    proof allows."""
    found: dict[str, Candidate] = {}
    options = replace(options, level=3)

    def add(name: str, chosen: Options, layered: str = "", trial: bool = False) -> Candidate | None:
        """The candidate, where its text is new."""
        result = optimize(chosen)
        if result.output in found:
            return None
        found[result.output] = candidate = Candidate(name, chosen, result, _saving(result), layered, trial)
        return candidate

    for name, chosen in _shapes(options):
        candidate = add(name, chosen)
        if candidate is None:
            continue
        add(f"{name}, in one layer", _without(chosen, "flatten", undo=True), name)
        if options.settings.get("*", {}).get("package-cache") is None:
            add(f"{name}, cache mounts", _set(chosen, "*", "package-cache", "mount"))
    for name, chosen in _trials(options) if has_judge else ():
        if add(name, chosen, trial=True) is not None:
            add(f"{name}, in one layer", _without(chosen, "flatten", undo=True), name, trial=True)
    first, *others = found.values()
    return [first, *sorted(others, key=lambda candidate: candidate.rank)]


def _saving(result: Result) -> int:
    return saving(fix.benefit for fix in result.applied)


def _shapes(options: Options) -> Iterator[tuple[str, Options]]:
    """The choices of what the stages are, simplest first."""
    plain = _without(options, *_RESTRUCTURING)
    splits: list[tuple[str, Options]] = [("", plain)]
    for base in _choices(options, "multi-stage", "base", _SPLITS):
        name = "split" if base == _SPLITS[0] else f"split on {base}"
        splits.append((name, _set(_without(plain, "multi-stage", undo=True), "multi-stage", "base", base)))
    proved = list(splits)
    for name, by in _EVIDENCE.items():
        splits.append((name, _set(_without(plain, "multi-stage", undo=True), "multi-stage", "by", by)))
    for split, chosen in splits:
        yield split or "stages as they are", chosen
    for base in _choices(options, "swap-base", "to", _BASES):
        for split, chosen in proved:
            swapped = _set(_without(chosen, "swap-base", undo=True), "swap-base", "to", base)
            yield f"{split}, bases: {base}" if split else f"base: {base}", swapped


def _trials(options: Options) -> Iterator[tuple[str, Options]]:
    """The choices of a base by trial, of the stages as they are and as a split makes them."""
    if "trial" not in _choices(options, "swap-base", "by", ("proof", "trial")):
        return
    plain = _without(options, *_RESTRUCTURING)
    split = _set(_without(plain, "multi-stage", undo=True), "multi-stage", "base", "auto")
    splits = [("", plain)]
    if options.settings.get("multi-stage", {}).get("base") is None:
        splits.append(("split, ", split))
    for base in _choices(options, "swap-base", "to", (*_BASES, *_HARDENED)):
        for name, chosen in splits:
            swapped = _set(_without(chosen, "swap-base", undo=True), "swap-base", "to", base)
            yield f"{name}base by trial: {base}", _set(swapped, "swap-base", "by", "trial")


def _choices(options: Options, name: str, setting: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """The values to try of a setting: the user's alone, where there is one."""
    own = options.settings.get(name, {}).get(setting)
    return values if own is None else (str(own),)


def _set(options: Options, name: str, setting: str, value: str) -> Options:
    of_pass = {**options.settings.get(name, {}), setting: value}
    changed: Options = replace(options, settings={**options.settings, name: of_pass})
    return changed


def _without(options: Options, *names: str, undo: bool = False) -> Options:
    """The options without some passes; with `undo`, with those that this took away (in `ignore`, a name of ours is
    written twice: what the user takes away stays away)."""
    ignore = list(options.ignore)
    for name in names:
        if undo:
            ignore.remove(name)
        else:
            ignore.append(name)
    changed: Options = replace(options, ignore=tuple(ignore))
    return changed


def search_fixes(
    lab: Lab,
    optimize: Callable[[Options, frozenset[Identity] | None], Result],
    options: Options,
    path: str,
    facts: BuildFacts,
    budget: SearchBudget,
    stored: StoredVerdicts | None = None,
) -> SearchResult:
    """Searches for the smallest image of the file at `path`. `optimize`: the optimizer on its content, with options,
    and with only the fixes of the given identities, or with all; `stored`: verdicts of earlier runs. Raises ProofError
    if the original does not build or fails its smoke test; EngineError, ImageError."""

    def make() -> list[Candidate]:
        return candidates(lambda chosen: optimize(chosen, None), options, has_judge=facts.has_judge())

    found = make()
    first = found[0].result
    if first.problem is not None or not (facts.has_questions or any(one.result.changed for one in found)):
        return SearchResult(Proof(first, None, (), None, 0), found[0].options)
    lab.say("built as it is")
    # an earlier run has built it: the engine's cache may give it again
    cache = stored is not None and stored.any()
    base = build_original(lab, first.source.to_bytes(), path, cache=cache)
    try:
        while facts.has_questions:
            facts.learn(lab, base.built, path)
            found = make()
        verdicts = Verdicts(lab, base, path, stored)
        result = _Search(verdicts, optimize, found, budget, facts).run()
        proof = replace(result.proof, builds=verdicts.builds + 1 + facts.builds)
        whole: SearchResult = replace(result, proof=proof, reused=verdicts.reused)
        return whole
    finally:
        lab.engine.remove(base.built.image)


class _Search:
    def __init__(
        self,
        verdicts: Verdicts,
        optimize: Callable[[Options, frozenset[Identity] | None], Result],
        found: list[Candidate],
        budget: SearchBudget,
        facts: BuildFacts,
    ) -> None:
        self.verdicts = verdicts
        self.optimize = optimize
        self.found = found
        self.budget = budget
        self.facts = facts
        self.built: dict[str, ProofVerdict] = {}
        self.proofs: dict[str, Proof] = {}
        self.reasons: dict[str, str] = {}
        self.left_out: dict[str, tuple[Dropped, ...]] = {}  # by candidate, what failed in the file as it is

    def run(self) -> SearchResult:
        builds, seconds = self.budget.builds, self.budget.seconds
        now = time.monotonic()
        deadline = None if seconds is None else now + seconds
        plain, *others = self.found
        # a part of the builds is kept back for the proof of the result, and of the minutes for other candidates
        search = builds - builds // 4
        self.verdicts.limit(search, deadline if seconds is None or not others else now + seconds / 2)
        self.prove(plain)
        self.verdicts.limit(search, deadline)
        others = self.without_culprits(others, plain)
        # those in one layer come last: whether they pay is known when the same in layers was built
        for number, candidate in enumerate(sorted(others, key=lambda one: bool(one.layered)), 1):
            if candidate.layered and not self.flattening_pays(candidate):
                continue
            self.say(f"candidate {number} of {len(others)}: {candidate.name}")
            try:
                result, verdict = refined(self.verdicts, self.remake(candidate), candidate.result, self.facts)
            except BudgetSpentError as spent:
                self.reasons[candidate.name] = str(spent)
                continue
            self.built[candidate.name] = verdict
            if result is not candidate.result and not loses(candidate.result, result):
                others = [replace(one, result=result) if one is candidate else one for one in others]
        # what holds is worth its proof, however late it is; what may hold is not
        self.verdicts.limit(builds, None)
        holding = [one for one in others if one.name in self.built and self.built[one.name].holds]
        for candidate in sorted(holding, key=self.size):
            if self.size(candidate) < self.best_size:
                self.prove(candidate)
        self.verdicts.limit(builds, deadline)
        for candidate in sorted((one for one in others if one not in holding), key=self.size):
            if candidate.name in self.built and self.size(candidate) < self.best_size:
                self.prove(candidate)
        if plain.name in self.reasons and (not self.proofs or self.size(plain) < self.best_size):
            del self.reasons[plain.name]
            self.prove(plain)
        return self.choose([plain, *others])

    def flattening_pays(self, candidate: Candidate) -> bool:
        """Whether one layer takes off enough, as the image in layers has it; the reason is noted where it does not."""
        cost = self.cost(candidate.layered)
        verdict = self.built.get(candidate.layered)
        if cost is None or (verdict is not None and not verdict.holds):
            self.reasons[candidate.name] = "in layers it was not built, or does not hold"
            return False
        dead = cost.total - cost.live
        if dead < _DEAD_SHARE * cost.total:
            self.reasons[candidate.name] = f"one layer would take off {human(dead)} alone, and be shared with no image"
            return False
        return True

    def cost(self, name: str) -> ImageCost | None:
        """What was measured of a candidate, without the fixes that do not hold; None where nothing was."""
        proof = self.proofs.get(name)
        verdict = proof.verdict if proof is not None else self.built.get(name)
        return verdict.after if verdict is not None else None

    def say(self, text: str) -> None:
        self.verdicts.lab.say(text)

    def apply(self, candidate: Candidate) -> Apply:
        return lambda only: self.optimize(candidate.options, only)

    def remake(self, candidate: Candidate) -> Callable[[], Result]:
        """What makes a candidate's result again, by what was learnt meanwhile, without what failed in the file as it
        is."""
        culprits = {drop.fix.identity for drop in self.left_out.get(candidate.name, ())}

        def made() -> Result:
            result = self.optimize(candidate.options, None)
            if not culprits:
                return result
            return self.optimize(candidate.options, frozenset(fix.identity for fix in result.applied) - culprits)

        return made

    def prove(self, candidate: Candidate) -> None:
        """Proves a candidate's fixes, those that fail left out."""
        if not candidate.result.changed:
            return
        self.say(f"proof of: {candidate.name}")
        try:
            proof = Trials(self.verdicts, self.apply(candidate)).prove(candidate.result, measure=False)
        except BudgetSpentError as spent:
            self.reasons.setdefault(candidate.name, str(spent))
            return
        if proof.verdict is not None and proof.result.changed:
            self.proofs[candidate.name] = proof
        elif proof.dropped:
            failure = ProofVerdict(proof.dropped[0].reason, (), 0, self.verdicts.base.figures, None)
            self.built.setdefault(candidate.name, failure)

    def without_culprits(self, others: list[Candidate], plain: Candidate) -> list[Candidate]:
        """The candidates without the fixes that failed in the file as it is."""
        proof = self.proofs.get(plain.name)
        failed = proof.dropped if proof is not None else ()
        culprits = {drop.fix.identity: drop for drop in failed if not drop.needs}
        if not culprits:
            return others
        kept: dict[str, Candidate] = {}
        for candidate in others:
            every = [fix.identity for fix in candidate.result.applied]
            only = frozenset(every) - culprits.keys()
            self.left_out[candidate.name] = tuple(culprits[identity] for identity in every if identity in culprits)
            result = self.optimize(candidate.options, only)
            kept.setdefault(result.output, replace(candidate, result=result, saving=_saving(result)))
        kept.pop(proof.result.output if proof is not None else "", None)
        return sorted(kept.values(), key=lambda candidate: candidate.rank)

    @property
    def best_size(self) -> int:
        """The bytes of the smallest image that is proved; of the original where none is."""
        sizes = [cost.total for cost in map(self.cost, self.proofs) if cost is not None]
        return min(sizes, default=self.verdicts.base.figures.total)

    def size(self, candidate: Candidate) -> int:
        """The bytes of a candidate's image: measured, else estimated."""
        cost = self.cost(candidate.name)
        return cost.total if cost is not None else self.verdicts.base.figures.total - candidate.saving

    def choose(self, found: list[Candidate]) -> SearchResult:
        """The smallest that also holds when it is built without the engine's cache."""
        self.verdicts.limit(None, None)
        chosen = ""
        places = {candidate.name: place for place, candidate in enumerate(found)}
        for name in sorted(self.proofs, key=lambda name: (*_rank(self.proofs[name]), places[name])):
            self.say(f"the result, without the engine's cache: {name}")
            verdict = self.verdicts.of(self.proofs[name].result, measure=True)
            if verdict.holds:
                self.proofs[name] = replace(self.proofs[name], verdict=verdict)
                chosen = name
                break
            self.built[name] = verdict
            del self.proofs[name]
        outcomes = tuple([self.outcome(candidate, chosen) for candidate in found if candidate.result.changed])
        if chosen:
            proof = self.proofs[chosen].with_dropped(self.left_out.get(chosen, ()))
            return SearchResult(proof, found[places[chosen]].options, outcomes)
        options = found[0].options
        proof = Proof(self.optimize(options, frozenset()), None, (), self.verdicts.base.figures, 0)
        return SearchResult(proof, options, outcomes)

    def outcome(self, candidate: Candidate, chosen: str) -> Outcome:
        name, verdict, cost = candidate.name, self.built.get(candidate.name), self.cost(candidate.name)
        size = cost.total if cost is not None else None
        if name in self.proofs:
            causes = [drop for drop in self.proofs[name].dropped if not drop.needs]
            less = "; ".join(f"without {drop.fix.name}, since {drop.reason}" for drop in causes)
            return Outcome(name, candidate.saving, size, "chosen" if name == chosen else "larger", less)
        if verdict is not None and verdict.holds and name not in self.reasons:
            return Outcome(name, candidate.saving, size, "larger")
        if verdict is not None and verdict.holds:
            return Outcome(name, candidate.saving, size, "not proved", self.reasons[name])
        if verdict is not None:
            return Outcome(name, candidate.saving, size, "failed", verdict.failure)
        return Outcome(name, candidate.saving, size, "not built", self.reasons.get(name, ""))


def _rank(proof: Proof) -> tuple[int, int, int]:
    """Bytes, layers, fixes: what is less is better."""
    after = proof.verdict.after if proof.verdict is not None else None
    assert after is not None  # of what holds
    return after.total, after.layers, len(proof.result.applied)
