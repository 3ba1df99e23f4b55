"""The search for the culprits, by a laboratory that builds nothing: it knows which fixes are bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.findings import Declares
from dfopt.proof import fixes
from dfopt.proof.fixes import Proof, prove_fixes
from dfopt.proof.lab import Lab, ProofSettings
from dfopt.proof.verdict import ImageCost, OriginalImage, ProofVerdict
from dfopt.results import Applied, Result
from dfopt.source import Source

FIGURES = ImageCost(1, 2, 3, 4, 5)
WIDE = Declares(files="any")


class Bench:
    """Stands for the optimizer and the engine. Fix number i is `fix-i`; `needs[i]`: it can only be made with that one;
    `clash`: pairs that fail together only."""

    def __init__(
        self,
        count: int,
        bad: set[int],
        wide: set[int] = frozenset(),  # type: ignore[assignment]
        needs: dict[int, int] | None = None,
        clash: tuple[int, int] | None = None,
    ) -> None:
        self.count, self.bad, self.wide, self.needs, self.clash = count, bad, wide, needs or {}, clash
        self.tried: list[frozenset[int]] = []

    def apply(self, only: frozenset[tuple[str, int]] | None) -> Result:
        wanted = [i for i in range(self.count) if only is None or (f"fix-{i}", i) in only]
        done = [i for i in wanted if i not in self.needs or self.needs[i] in wanted]
        applied = tuple(
            Applied(n, f"fix-{i}", "safe", "does it", i, i, 1, WIDE if i in self.wide else Declares())
            for n, i in enumerate(done)
        )
        return Result(Source("Dockerfile", "-"), ",".join(map(str, done)) or "-", applied=applied)

    def against(
        self, lab: object, base: object, dockerfile: bytes, path: str, declared: object, *, measure: bool
    ) -> ProofVerdict:
        tried = frozenset(map(int, dockerfile.decode().split(",")))
        self.tried.append(tried)
        culprit = next((i for i in sorted(tried) if i in self.bad), None)
        if culprit is None and self.clash is not None and set(self.clash) <= tried:
            culprit = self.clash[1]
        seconds = 1.0 if measure else None
        after = ImageCost(1, 2, 3, 4, 5, seconds)
        return ProofVerdict("" if culprit is None else f"because of {culprit}", (), 0, FIGURES, after)

    def prove(self, monkeypatch: pytest.MonkeyPatch) -> Proof:
        removed: list[object] = []

        class Engine:
            def remove(self, image: object) -> None:
                removed.append(image)

        class Built:
            image = "before"

        with monkeypatch.context() as patch:
            patch.setattr(fixes, "build_original", lambda *_: OriginalImage(Built(), FIGURES, frozenset()))  # type: ignore[arg-type]
            patch.setattr(fixes, "compare_with_original", self.against)
            patch.setattr(fixes, "declarations_of", lambda applied: [one.declares for one in applied])
            proof = prove_fixes(Lab(Engine(), ProofSettings()), self.apply, "Dockerfile")  # type: ignore[arg-type]
        assert removed == ["before"]
        return proof


def numbers(found: object) -> set[int]:
    return {one.start for one in found}  # type: ignore[attr-defined]


def test_all_hold_in_one_build(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(11, set())
    proof = bench.prove(monkeypatch)
    assert (len(proof.result.applied), proof.dropped, proof.builds) == (11, (), 2)


@given(st.integers(1, 12), st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
@settings(max_examples=60)
def test_culprits_and_no_others_are_dropped(count: int, bad: set[int], wide: set[int]) -> None:
    monkeypatch = pytest.MonkeyPatch()
    bench = Bench(count, bad, wide)
    proof = bench.prove(monkeypatch)
    everyone = set(range(count))
    assert numbers(one.fix for one in proof.dropped) == bad & everyone
    assert numbers(proof.result.applied) == everyone - bad
    for one in proof.dropped:
        assert one.reason == f"because of {one.fix.start}"
        assert one.reason in {told.reason for told in proof.result.reported}
    if everyone - bad:
        assert frozenset(everyone - bad) in bench.tried  # what is kept was built, as a whole
        assert proof.verdict is not None
        assert proof.verdict.after is not None
        assert proof.verdict.after.seconds == 1.0


def test_one_of_eleven_costs_few_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    for culprit in range(11):
        proof = Bench(11, {culprit}).prove(monkeypatch)
        assert numbers(one.fix for one in proof.dropped) == {culprit}
        assert proof.builds <= 10


def test_wide_declarations_come_on_top_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(4, set(), {1})
    bench.prove(monkeypatch)
    assert bench.tried == [frozenset({0, 2, 3}), frozenset({0, 1, 2, 3})]


def test_fix_that_needs_a_dropped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = Bench(4, {1}, needs={2: 1}).prove(monkeypatch)
    assert {one.fix.start: one.needs for one in proof.dropped} == {1: False, 2: True}
    assert numbers(proof.result.applied) == {0, 3}


def test_two_that_fail_together_only(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = Bench(6, set(), clash=(1, 4)).prove(monkeypatch)
    assert numbers(one.fix for one in proof.dropped) == {4}


def test_nothing_to_do_builds_nothing(tmp_path: Path) -> None:
    proof = prove_fixes(Lab(None, ProofSettings()), Bench(0, set()).apply, "Dockerfile")
    assert (proof.builds, proof.verdict, proof.result.changed) == (0, None, False)
