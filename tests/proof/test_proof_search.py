"""The search of `fix -O3`, by a laboratory that builds nothing: it knows what each text weighs, and what fails."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dfopt.facts import Facts
from dfopt.findings import Benefit, Declares
from dfopt.optimizer import Optimizer
from dfopt.pass_selection import Options, chosen
from dfopt.proof import fixes, search
from dfopt.proof.lab import Lab, ProofSettings
from dfopt.proof.search import SearchBudget, SearchResult, candidates, search_fixes
from dfopt.proof.stage_builds import BuildFacts
from dfopt.proof.stored_verdicts import StoredVerdicts, content_of, subject_of
from dfopt.proof.verdict import ImageCost, OriginalImage, ProofVerdict
from dfopt.record import replace
from dfopt.results import Applied, Result
from dfopt.source import Source

WIDE = Declares(files="any")


def cost(total: int, dead: int = 0, seconds: float | None = None) -> ImageCost:
    return ImageCost(total - dead, total, total, 3, 5, seconds)


class Bench:
    """Stands for the optimizer and the engine. A text is the names of its fixes, in order; `sizes`: text -> bytes of
    the image (a missing one: `base`), `dead`: text -> dead bytes; `failing`: fix -> why it fails; `plain`: the fixes
    that every candidate has; `bases`: what swap-base finds a base for; `tried`: ... by trial."""

    def __init__(
        self,
        sizes: dict[str, int],
        *,
        plain: tuple[str, ...] = (),
        failing: dict[str, str] | None = None,
        bases: tuple[str, ...] = ("slim", "alpine"),
        splits: bool = True,
        dead: dict[str, int] | None = None,
        tried: tuple[str, ...] = (),
    ) -> None:
        self.tried = tried
        self.sizes, self.plain, self.failing, self.bases = sizes, plain, failing or {}, bases
        self.splits, self.dead = splits, dead or {}
        self.built: list[tuple[str, bool]] = []
        self.original = 0

    def optimize(self, options: Options, only: frozenset[tuple[str, int]] | None = None) -> Result:
        names = {entry.name for entry in chosen(options)}
        to = options.settings.get("swap-base", {}).get("to", "slim")
        done = list(self.plain)
        by_trial = options.settings.get("swap-base", {}).get("by") == "trial" and to in self.tried
        if "swap-base" in names and (to in self.bases or by_trial):
            done.append(f"on-{to}")
        if "multi-stage" in names and self.splits:
            done.append("split")
        if "flatten" in names:
            done.append("flat")
        done = [name for name in done if only is None or (name, 0) in only]
        applied = tuple(
            Applied(n, name, "unsafe", "does it", 0, 0, 1, Declares() if name in self.plain else WIDE, benefit)
            for n, name in enumerate(done)
            for benefit in [Benefit(bytes=1000 - self.sizes[name]) if name in self.sizes else None]
        )
        return Result(Source("Dockerfile", "-"), ",".join(done) or "-", applied=applied)

    def against(
        self, lab: object, base: object, dockerfile: bytes, path: str, declared: object, *, measure: bool
    ) -> ProofVerdict:
        text = dockerfile.decode()
        self.built.append((text, measure))
        failure = next((self.failing[name] for name in text.split(",") if name in self.failing), "")
        after = cost(self.sizes.get(text, 1000), self.dead.get(text, 0), 1.0 if measure else None)
        return ProofVerdict(failure, (), 0, cost(1000), after)

    def search(
        self,
        monkeypatch: pytest.MonkeyPatch,
        budget: SearchBudget | None = None,
        stored: StoredVerdicts | None = None,
        *,
        judged: bool = False,
    ) -> SearchResult:
        bench = self
        removed: list[object] = []

        class Engine:
            def remove(self, image: object) -> None:
                removed.append(image)

        class Built:
            image = "before"

        def original(*_: object, cache: bool) -> OriginalImage:
            bench.original += 1
            return OriginalImage(Built(), cost(1000), frozenset())  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(search, "build_original", original)
            patch.setattr(fixes, "compare_with_original", self.against)
            patch.setattr(fixes, "declarations_of", lambda applied: [one.declares for one in applied])
            found = search_fixes(
                Lab(Engine(), ProofSettings()), self.optimize, Options(level=3, tiers=("safe", "unsafe")), "Dockerfile",  # type: ignore[arg-type]
                BuildFacts(Source("Dockerfile", "-"), judged=judged), budget or SearchBudget(12), stored,
            )  # fmt: skip
        assert removed == ["before"] * bench.original
        return found


def states(found: SearchResult) -> dict[str, str]:
    return {outcome.name: outcome.state for outcome in found.outcomes}


def reason(found: SearchResult, name: str) -> str:
    return next(outcome.reason for outcome in found.outcomes if outcome.name == name)


SIZES = {"split": 300, "on-slim": 500, "on-alpine": 400, "on-slim,split": 350, "on-alpine,split": 340}


def test_the_same_text_is_one_candidate() -> None:
    bench = Bench(SIZES, splits=False, bases=("slim",))
    found = candidates(bench.optimize, Options(level=3))
    assert [(one.name, one.result.output) for one in found] == [
        ("stages as they are", "-"),
        ("base: slim", "on-slim"),
        ("base: slim, in one layer", "on-slim,flat"),
        ("stages as they are, in one layer", "flat"),
    ]


class Configured(Facts):
    """Every base image has the same configuration."""

    def image_config(self, image: str) -> dict[str, object]:
        return {"Env": ["PATH=/bin"], "User": "root"}


def test_no_candidate_has_a_fix_that_makes_the_image_larger() -> None:
    """In layers, strip-suid would store the base's files again; in one layer it costs nothing."""
    source = Source("Dockerfile", 'FROM debian:13-slim\nRUN date > /a\nRUN date > /b\nCMD ["/bin/date"]\n')
    options = Options((), ("add-user", "swap-base"), ("safe", "unsafe"), level=2)
    found = candidates(lambda chosen: Optimizer(chosen).run(source, Configured()), options)
    fixes = {candidate.name: [fix.name for fix in candidate.result.applied] for candidate in found}
    assert fixes == {"stages as they are": [], "stages as they are, in one layer": ["flatten", "strip-suid"]}
    benefits = [fix.benefit for candidate in found for fix in candidate.result.applied if fix.benefit is not None]
    assert all(benefit.bytes >= 0 for benefit in benefits)


def test_candidates_stand_in_the_order_of_their_estimates() -> None:
    found = candidates(Bench({"split": 300, "on-slim": 200, "on-alpine": 900}).optimize, Options(level=3))
    savings = [one.saving for one in found[1:]]
    assert savings == sorted(savings, reverse=True)
    assert found[1].name == "split, bases: slim"  # the estimate of both


def test_what_the_user_set_is_no_choice() -> None:
    settings = {"swap-base": {"to": "alpine"}, "multi-stage": {"base": "slim"}}
    found = candidates(Bench(SIZES).optimize, Options(level=3, settings=settings, ignore=("flatten",)))
    assert [one.name for one in found] == [
        "stages as they are", "split on slim, bases: alpine", "split on slim", "base: alpine",
    ]  # fmt: skip


def test_smallest_that_holds_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(SIZES)
    found = bench.search(monkeypatch)
    assert found.proof.result.output == "split"
    assert states(found)["split"] == "chosen"
    assert states(found)["base: alpine"] == "larger"
    assert bench.built[-1] == ("split", True)  # the result is built without the engine's cache
    assert found.proof.verdict is not None
    assert found.proof.verdict.after is not None
    assert (found.proof.verdict.after.total, found.proof.verdict.after.seconds) == (300, 1.0)
    assert len(set(bench.built)) == len(bench.built)  # nothing is built twice
    assert found.proof.builds == len(bench.built) + 1


def test_one_that_fails_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Bench(SIZES, failing={"split": "the smoke test fails: status 1"}).search(monkeypatch)
    assert found.proof.result.output == "on-alpine"
    assert states(found)["split"] == "failed"
    assert reason(found, "split") == "the smoke test fails: status 1"


def test_what_failed_of_a_candidate_that_holds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"split": 900, "on-busybox": 950, "on-busybox,split": 850}
    bench = Bench(sizes, bases=(), tried=("busybox",), failing={"on-busybox": "it cannot be pulled"})
    found = bench.search(monkeypatch, judged=True)
    assert found.proof.result.output == "split"
    assert states(found)["split, base by trial: busybox"] == "larger"
    assert reason(found, "split, base by trial: busybox") == "without on-busybox, since it cannot be pulled"
    assert states(found)["split"] == "chosen"
    assert reason(found, "split") == ""


def test_a_fix_that_fails_everywhere_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench({"good,split": 300}, plain=("good", "bad"), failing={"bad": "breaks"}, bases=())
    found = bench.search(monkeypatch)
    assert found.proof.result.output == "good,split"
    assert "bad" not in "".join(text for text, _ in bench.built[4:])  # the first candidate told
    assert states(found)["split"] == "chosen"
    assert [(drop.fix.name, drop.reason) for drop in found.proof.dropped] == [("bad", "breaks")]  # told with the result
    assert [(report.name, report.reason) for report in found.proof.result.reported] == [("bad", "breaks")]


def test_nothing_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = {"split": "no", "on-slim": "nor this", "on-alpine": "nor that", "flat": "never"}
    found = Bench(SIZES, failing=failing).search(monkeypatch)
    assert not found.proof.result.changed
    assert found.proof.verdict is None
    assert set(states(found).values()) == {"failed", "not built"}


def test_one_layer_only_where_enough_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"split": 300, "split,flat": 200, "flat": 990}
    found = Bench(sizes, bases=(), dead={"split": 14}).search(monkeypatch)
    assert found.proof.result.output == "split"
    assert "one layer would take off 14 bytes alone" in reason(found, "split, in one layer")
    found = Bench(sizes, bases=(), dead={"split": 100}).search(monkeypatch)
    assert found.proof.result.output == "split,flat"


def test_the_budget_is_kept_and_the_smallest_by_estimate_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(SIZES)
    found = bench.search(monkeypatch, SearchBudget(2))
    assert [text for text, measure in bench.built if not measure] == ["on-alpine,split", "on-slim,split"]
    assert found.proof.result.output == "on-alpine,split"
    assert "budget of builds" in reason(found, "split")


def test_the_file_as_it_is_leaves_half_of_the_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its proof would take more; it is gone on with when the others were tried."""
    plain = tuple("abcdefgh")
    bench = Slow({}, plain=plain, failing=dict.fromkeys("adgh", "breaks"), bases=())
    monkeypatch.setattr(time, "monotonic", lambda: bench.now)
    found = bench.search(monkeypatch, SearchBudget(40, 20.0))
    tried = ["split" in text for text, _ in bench.built]
    assert tried.index(True) == 10
    assert not any(tried[11:])
    assert found.proof.result.output == "b,c,e,f"


def test_the_minutes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(SIZES)
    found = bench.search(monkeypatch, SearchBudget(12, 0.0))
    assert (bench.built, found.proof.result.changed) == ([], False)
    assert "budget of minutes" in reason(found, "split")


class Slow(Bench):
    """Each build takes a second; a split has a fix of its own that declares little, so that its proof takes a build."""

    now = 0.0

    def optimize(self, options: Options, only: frozenset[tuple[str, int]] | None = None) -> Result:
        result = super().optimize(options, only)
        own = Applied(9, "own", "safe", "does it", 0, 0, 1, Declares(), None)
        if "multi-stage" in options.ignore or (only is not None and ("own", 0) not in only):
            return result
        return replace(result, output=f"{result.output},own", applied=(own, *result.applied))

    def against(self, *parts: Any, measure: bool) -> ProofVerdict:
        self.now += 1
        return super().against(*parts, measure=measure)


def test_what_holds_when_the_minutes_are_spent_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Slow({"split,own": 300}, bases=())
    monkeypatch.setattr(time, "monotonic", lambda: bench.now)
    found = bench.search(monkeypatch, SearchBudget(12, 1.0))
    assert found.proof.result.output == "split,own"
    assert states(found)["split"] == "chosen"


def test_a_second_run_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stored = StoredVerdicts(str(tmp_path), "subject")
    first = Bench(SIZES)
    first.search(monkeypatch, SearchBudget(2), stored)
    second = Bench(SIZES)
    found = second.search(monkeypatch, SearchBudget(12), stored)
    assert found.proof.result.output == "split"
    assert found.reused >= 2
    assert not set(first.built) & set(second.built)
    third = Bench(SIZES)
    assert third.search(monkeypatch, SearchBudget(12), stored).proof.result.output == "split"
    assert third.built == []


def test_an_interrupted_run_keeps_what_was_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stored = StoredVerdicts(str(tmp_path), "subject")
    bench = Bench(SIZES)
    build = bench.against

    def interrupted(*words: object, **more: bool) -> ProofVerdict:
        if len(bench.built) == 3:
            raise KeyboardInterrupt
        return build(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(bench, "against", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.search(monkeypatch, stored=stored)
    again = Bench(SIZES)
    assert again.search(monkeypatch, stored=stored).reused == 3


def test_stored_verdicts_are_of_one_subject_and_of_this_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = StoredVerdicts(str(tmp_path), "one")
    stored.put("text", [WIDE], False, ProofVerdict("why", (), 2, cost(9), cost(8)))
    verdict = stored.get(cost(7), "text", [WIDE], False)
    assert verdict == ProofVerdict("why", (), 2, cost(7), cost(8))
    assert stored.get(cost(7), "text", [], False) is None
    assert stored.get(cost(7), "text", [WIDE], True) is None  # it was not measured
    assert StoredVerdicts(str(tmp_path), "two").get(cost(7), "text", [WIDE], False) is None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 8 * 24 * 3600)
    assert stored.get(cost(7), "text", [WIDE], False) is None


def test_a_broken_store_is_a_miss(tmp_path: Path) -> None:
    (tmp_path / "results-verdicts-1.sqlite").write_bytes(b"no database" * 100)
    stored = StoredVerdicts(str(tmp_path), "one")
    stored.put("text", [], False, ProofVerdict("", (), 0, cost(1), cost(1)))
    assert (stored.get(cost(1), "text", [], False), stored.any()) == (None, False)


def test_the_subject_is_all_that_decides(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "link").symlink_to("nowhere")
    plan = ProofSettings()
    seen = {subject_of(plan, "docker", "FROM a\n", str(tmp_path))}
    seen.add(subject_of(plan, "docker", "FROM b\n", str(tmp_path)))
    seen.add(subject_of(plan, "podman", "FROM a\n", str(tmp_path)))
    seen.add(subject_of(ProofSettings(smoke="true"), "docker", "FROM a\n", str(tmp_path)))
    before = content_of(str(tmp_path))
    assert before == content_of(str(tmp_path))
    (tmp_path / "a").chmod(0o755)
    assert content_of(str(tmp_path)) != before
    (tmp_path / "a").write_text("2")
    seen.add(subject_of(plan, "docker", "FROM a\n", str(tmp_path)))
    assert len(seen) == 5


def test_bases_are_tried_where_a_smoke_test_judges() -> None:
    bench = Bench(SIZES, bases=("slim",), tried=("slim", "alpine"), splits=False)
    options = Options(level=3)
    names = [one.name for one in candidates(bench.optimize, options) if "in one layer" not in one.name]
    assert names == ["stages as they are", "base: slim"]
    found = [one for one in candidates(bench.optimize, options, has_judge=True) if not one.layered]
    # what is proved is no trial; a trial counts half: 300 of 600 here, and 500 there
    assert [(one.name, one.trial) for one in found] == [
        ("stages as they are", False), ("base: slim", False), ("base by trial: alpine", True),
    ]  # fmt: skip
    proof = Options(level=3, settings={"swap-base": {"by": "proof"}})
    assert not any(one.trial for one in candidates(bench.optimize, proof, has_judge=True))


def test_the_smallest_base_that_holds_by_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"on-slim": 500, "on-alpine": 400, "on-busybox": 100}
    bench = Bench(
        sizes, bases=("slim",), tried=("alpine", "busybox"), splits=False, failing={"on-busybox": "it does not start"}
    )
    found = bench.search(monkeypatch, judged=True)
    assert found.proof.result.output == "on-alpine"
    assert states(found)["base by trial: alpine"] == "chosen"
    assert reason(found, "base by trial: busybox") == "it does not start"
    untried = Bench(sizes, bases=("slim",), tried=("alpine",), splits=False).search(monkeypatch)
    assert untried.proof.result.output == "on-slim"
