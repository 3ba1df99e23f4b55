"""Compares two Dockerfiles or images and reaches a verdict."""

from __future__ import annotations

from dfopt.engine import BuildError, EngineError, EngineTimeLimitError
from dfopt.proof.differences import Allowed, allowance, compare_views
from dfopt.proof.errors import ProofError
from dfopt.proof.lab import ProofImage, Smoke
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.findings import Declares
    from dfopt.image import Comparison
    from dfopt.proof.differences import Difference
    from dfopt.proof.image_view import ImageView
    from dfopt.proof.lab import Lab

_LONGEST_LOG = 16000  # characters


class ImageCost(Record):
    """The cost of an image. Bytes: of the files a container sees (live), of all layers (total), of the stored blobs;
    seconds: of a build without the engine's cache, and of a rebuild after a file of the context changed (None: not
    measured)."""

    live: int
    total: int
    stored: int
    layers: int
    files: int
    seconds: float | None = None
    rebuild: float | None = None


class ProofVerdict(Record):
    """`failure`: why the second cannot replace the first, "" if it can; `differences`: the undeclared differences;
    `declared`: the number of declared differences in files and settings; `log`: the end of the log of a build that
    failed."""

    failure: str
    differences: tuple[Difference, ...]
    declared: int
    before: ImageCost
    after: ImageCost | None
    smoke: Smoke | None = None
    log: str = ""

    @property
    def holds(self) -> bool:
        return not self.failure


class OriginalImage(Record):
    """The original image, with which all others are compared. `noise`: paths that differ from build to build."""

    built: ProofImage
    figures: ImageCost
    noise: frozenset[str]


def cost_of(view: ImageView, seconds: float | None = None, rebuild: float | None = None) -> ImageCost:
    ledger, layers = view.ledger, view.contents.layers
    files = sum(node.inode is not None for _, node in ledger.tree.walk())
    stored = sum(layer.stored for layer in layers)
    return ImageCost(ledger.live_bytes, ledger.total_bytes, stored, len(layers), files, seconds, rebuild)


def build_original(lab: Lab, dockerfile: bytes, path: str, *, cache: bool = False) -> OriginalImage:
    """Builds the original file and checks that its smoke test passes. `cache`: with the engine's cache, which leaves
    its seconds unknown. Raises ProofError if either fails."""
    try:
        built = lab.build(dockerfile, path, cache=cache)
    except (BuildError, EngineTimeLimitError) as failure:
        raise ProofError(f"the original file does not build: {failed_line(failure)}") from None
    smoke = lab.smoke(built)
    if smoke is not None and not smoke.passed:
        raise ProofError(f"the original file fails the smoke test: {smoke.output}")
    noise = noise_of(lab, built, dockerfile, path) if lab.plan.repeat else frozenset()
    seconds = None if cache else built.seconds
    return OriginalImage(built, cost_of(built.view, seconds, lab.rebuild(dockerfile, path)), noise)


def noise_of(lab: Lab, built: ProofImage, dockerfile: bytes, path: str) -> frozenset[str]:
    """The paths that differ in another build of the same file. Raises BuildError, EngineError, ImageError."""
    lab.say("built once more, to find what no two builds share")
    again = lab.build(dockerfile, path)
    try:
        return frozenset(change.path for change in compare_views(built.view, again.view).files)
    finally:
        lab.engine.remove(again.image)


def compare_with_original(
    lab: Lab, base: OriginalImage, dockerfile: bytes, path: str, declared: Iterable[Declares], *, measure: bool
) -> ProofVerdict:
    """Builds a file and compares it with the baseline. `measure`: without the engine's cache, for the figures."""
    try:
        built = lab.build(dockerfile, path, cache=not measure)
    except (BuildError, EngineTimeLimitError) as failure:
        return _failed(base, failure)
    try:
        verdict = judge(base.built.view, built.view, base.figures, declared, lab.plan.allow, base.noise)
        if verdict.holds:
            verdict = _with_smoke(verdict, lab.smoke(built))
        seconds = built.seconds if measure else None
        rebuild = lab.rebuild(dockerfile, path) if measure and verdict.holds else None
        return replace(verdict, after=cost_of(built.view, seconds, rebuild))  # type: ignore[no-any-return]
    finally:
        lab.engine.remove(built.image)


def judge(
    before: ImageView,
    after: ImageView,
    figures: ImageCost,
    declared: Iterable[Declares],
    allow: Sequence[str] = (),
    noise: Iterable[str] = (),
) -> ProofVerdict:
    """The verdict on two images from their contents alone."""
    comparison: Comparison = compare_views(before, after)
    undeclared = tuple(Allowed([*declared, allowance(allow)], noise).undeclared(comparison))
    expected = len(comparison.files) + len(comparison.config) - len({difference.where for difference in undeclared})
    failure = ""
    if undeclared:
        more = f" (and {len(undeclared) - 1} more)" if len(undeclared) > 1 else ""
        failure = f"the images differ: {undeclared[0]}{more}"
    return ProofVerdict(failure, undeclared, expected, figures, cost_of(after))


class Subject(Record):
    """One side of a comparison: a Dockerfile (its content and path), or an image by name."""

    name: str
    dockerfile: bytes | None = None


def verify(lab: Lab, before: Subject, after: Subject) -> ProofVerdict:
    """Compares the second subject with the first, building Dockerfiles. Images need an engine only for a smoke test.

    Raises ProofError if the first or only Dockerfile does not build, or if the first fails the smoke test; EngineError,
    ImageError.
    """
    if before.dockerfile is not None and after.dockerfile is not None:
        base = build_original(lab, before.dockerfile, before.name)
        return compare_with_original(lab, base, after.dockerfile, after.name, (), measure=True)
    sides = [_look(lab, side) for side in (before, after)]
    (old_view, first), (new_view, second) = sides
    seconds = [built.seconds if built is not None else None for _, built in sides]
    verdict = judge(old_view, new_view, cost_of(old_view, seconds[0]), (), lab.plan.allow)
    smoke = None
    if verdict.holds and (lab.plan.smoke or lab.plan.smoke_script):
        old = lab.smoke(first or ProofImage(lab.engine.find(before.name), old_view, 0.0))
        if old is not None and not old.passed:
            raise ProofError(f"{before.name} fails the smoke test: {old.output}")
        smoke = lab.smoke(second or ProofImage(lab.engine.find(after.name), new_view, 0.0))
    verdict = _with_smoke(verdict, smoke)
    return replace(verdict, after=cost_of(new_view, seconds[1]))  # type: ignore[no-any-return]


def _look(lab: Lab, subject: Subject) -> tuple[ImageView, ProofImage | None]:
    if subject.dockerfile is None:
        return lab.reader.reference(subject.name, lab.plan.platform), None
    try:
        built = lab.build(subject.dockerfile, subject.name)
    except (BuildError, EngineTimeLimitError) as failure:
        raise ProofError(f"{subject.name} does not build: {failed_line(failure)}") from None
    return built.view, built


def _with_smoke(verdict: ProofVerdict, smoke: Smoke | None) -> ProofVerdict:
    failed = smoke is not None and not smoke.passed
    failure = f"the smoke test fails: {smoke.output}" if smoke is not None and failed else verdict.failure
    return replace(verdict, failure=failure, smoke=smoke)  # type: ignore[no-any-return]


def _failed(base: OriginalImage, failure: EngineError) -> ProofVerdict:
    log = failure.log[-_LONGEST_LOG:] if isinstance(failure, BuildError) else ""
    return ProofVerdict(f"it does not build: {failed_line(failure)}", (), 0, base.figures, None, log=log)


def failed_line(failure: EngineError) -> str:
    """The line of a build log that says what went wrong."""
    if isinstance(failure, EngineTimeLimitError):
        return failure.message
    lines = [line.strip() for line in failure.log.split("\n") if line.strip()]
    wrong = [line for line in lines if line.startswith(("ERROR:", "Error:"))]
    return (wrong or lines or [failure.message])[-1]
