"""What passes ask of builds, with the answers, so that a profile can give them again.

A profile cannot hold an image. It holds what was asked of it: the passes run over the file in all the ways that a user
may choose, each alone and together, until no question is open.
"""

from __future__ import annotations

from dfopt.facts import Artifact, BuiltImage, RunEvidence, SharedLibrary
from dfopt.ir.stages import SCRATCH
from dfopt.pass_selection import Options
from dfopt.passes.index import entries
from dfopt.profile.document import faults, schema
from dfopt.profile.evidence import evidence_row
from dfopt.profile.facts import artifact_row, plain_name
from dfopt.profiling.image_rows import settings_row, system_row, words_of
from dfopt.proof.search import candidates
from dfopt.proof.stage_builds import BuildFacts
from dfopt.record import replace
from dfopt.registry.locked_base import ASKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from dfopt.engine import EngineImage
    from dfopt.image.artifacts import ImageFiles
    from dfopt.proof.lab import Lab
    from dfopt.proof.smoke_runs import WatchedTest
    from dfopt.refusal import Refusal
    from dfopt.results import Result
    from dfopt.source import Source

_TIERS = ("safe", "unsafe")
_RULES = {"artifact": "artifacts", "needs_below": "needs", "programs_below": "programs", "set_id": "setIds"}
_ROUNDS = 10  # an answer may lead to another question


class RecordedImage(BuiltImage):
    """An image that notes what it is asked in `row`, a row of a profile's `stages`. What such a row cannot say, such as
    names with blanks, is answered and not noted."""

    __slots__ = ("inner", "row")

    def __init__(self, inner: BuiltImage, row: dict[str, Any]) -> None:
        self.inner = inner
        self.row = row

    def _note(self, question: str, path: str, answer: Any) -> None:
        if not any(faults({path: answer}, schema()["$defs"][_RULES[question]])):
            self.row.setdefault(question, {})[path] = answer

    def artifact(self, path: str) -> Artifact:
        artifact = self.inner.artifact(path)
        self._note("artifact", path, artifact_row(artifact, path))
        return artifact

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        needs = self.inner.needs_below(path)
        rows = {name: {"path": library.path, "package": library.package} for name, library in needs.items()}
        self._note("needs_below", path, rows)
        return needs

    def script(self, path: str) -> str | None:
        return None  # a profile holds no content of a file: what depends on one is asked in vain

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        programs = self.inner.programs_below(path)
        self._note("programs_below", path, {place: artifact_row(one, place) for place, one in programs.items()})
        return programs

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        files = self.inner.set_id(path)
        self._note("set_id", path, dict(files))
        return files

    def release(self) -> tuple[str, str]:
        release = self.inner.release()
        if not any(faults(list(release), schema()["$defs"]["release"])):
            self.row["release"] = list(release)
        return release


class RecordingFacts(BuildFacts):
    """`built`, `built_config` and `run_evidence`, as `fix --verify` has them, of which the answers are noted in `rows`,
    by stage. `shipped_files`: those of the image that the whole file made; `judged`: whether there was a smoke test;
    `watched`: its runs; `secret_paths`: of which nothing is told.

    `base_image`, where `base_files` are there: those of the base image `base` that the shipped stage stands on; answers
    are noted in `base_row`. `layers`: of the image that each stage starts from, where that was built (diff IDs)."""

    __slots__ = ("_recorded", "base", "base_files", "base_row", "layers", "rows", "shipped_files")

    def __init__(
        self, source: Source, shipped_files: ImageFiles, watched: Sequence[WatchedTest], secret_paths: tuple[str, ...]
    ) -> None:
        super().__init__(source, judged=bool(watched))
        self._watched = watched
        self._secret_paths = secret_paths
        self.shipped_files = shipped_files
        self.rows: dict[int, dict[str, Any]] = {}
        self.base = ""
        self.base_files: ImageFiles | None = None
        self.base_row: dict[str, Any] = {}
        self.layers: dict[int, tuple[str, ...]] = {}
        self._recorded: dict[int, RecordedImage] = {}

    def built(self, stage: int, base: str) -> BuiltImage | None:
        image = super().built(stage, base)
        if image is None:
            return None
        if stage not in self._recorded:
            self._recorded[stage] = RecordedImage(image, self._row(stage))
        return self._recorded[stage]

    def _row(self, stage: int) -> dict[str, Any]:
        return self.rows.setdefault(stage, {"stage": stage, "base": plain_name(self.program.stages[stage].base)})

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        """On an empty image, the values of the base image's variables are needed too, which no profile holds."""
        found = super().run_evidence(stage, base, image)
        if isinstance(found, RunEvidence) and image != SCRATCH:
            row = {plain_name(image): evidence_row(found)}
            if not any(faults(row, schema()["$defs"]["evidences"])):
                self._row(stage).setdefault("run_evidence", {}).update(row)
        return found

    def base_image(self, image: str) -> BuiltImage | None:
        if self.base_files is None or plain_name(image) != self.base:
            return None
        return RecordedImage(self.base_files, self.base_row)

    def bottom(self, lab: Lab) -> int | None:
        """The stage from which the shipped one is built, through those between them."""
        at = self.shipped(lab)
        while at is not None and (parent := self.program.stages[at].parent) is not None:
            at = parent
        return at

    def _image(self, lab: Lab, whole: EngineImage, stage: int, path: str) -> BuiltImage:
        return self.shipped_files if stage == self.shipped(lab) else super()._image(lab, whole, stage, path)

    def _config(self, lab: Lab, stage: int, path: str) -> Mapping[str, Any]:
        image = self._part(lab, self.program.stages[stage].position + 1, path)
        try:
            document = lab.engine.config(image.name) or {}
            self.layers[stage] = tuple((document.get("rootfs") or {}).get("diff_ids") or ())
            return lab.settings(image)
        finally:
            lab.engine.remove(image)


def ask_everything(
    facts: RecordingFacts,
    optimize: Callable[[Options], Result],
    options: Options,
    learn: Callable[[], None],
) -> None:
    """Runs passes over the file until builds (`learn`) have answered all that they ask. `options`: the user's."""
    for _ in range(_ROUNDS):
        for chosen in _ways(options):
            optimize(chosen)
        candidates(optimize, replace(options, tiers=_TIERS))
        if not facts.has_questions:
            return
        learn()


def _ways(options: Options) -> Iterator[Options]:
    """The ways in which a user may choose passes: as configured, by level, all, and each alone."""
    yield options
    yield replace(options, tiers=_TIERS)
    for level in (1, 2, 3):
        yield replace(options, select=(), tiers=_TIERS, level=level, modernize=True)
    yield replace(options, select=("all",), tiers=_TIERS)
    for entry in entries():
        yield replace(options, select=(entry.name,), tiers=_TIERS)


def base_rows(facts: RecordingFacts, lab: Lab, learn: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """What a profile says of the base images of the file, without what cannot be said. The files of the one that the
    shipped stage stands on become those of `facts.base_image`: they lie in the lowest layers of the image that the file
    made. Their row is to be completed by `facts.base_row`."""
    stages = [stage for stage in facts.program.stages if stage.image is not None and stage.image != "scratch"]
    images = list(dict.fromkeys(plain_name(stage.image) for stage in stages if stage.image is not None))
    for image in images:
        facts.built_config(image)
    learn()
    rows: dict[str, dict[str, Any]] = {}
    for image in images:
        config = facts.built_config(image)
        if config is not None:
            rows[image] = {**settings_row(config), "entrypoint": words_of(config.get("Entrypoint") or [])}
    rule = schema()["properties"]["bases"]
    rows = {image: row for image, row in rows.items() if not any(faults({image: row}, rule))}
    bottom = facts.bottom(lab)
    name = facts.program.stages[bottom].image if bottom is not None else None
    first = next((stage.index for stage in stages if stage.image == name), None)  # BuildFacts has built this one
    layers = facts.layers.get(first, ()) if first is not None else ()
    if name is not None and layers and plain_name(name) in rows:
        own = tuple(layer.layer.diff_id for layer in facts.shipped_files.layers)
        if own[: len(layers)] == layers:
            facts.base, facts.base_files = plain_name(name), facts.shipped_files.below(len(layers))
            facts.base_row = {**rows[facts.base], **system_row(facts.base_files)}
            rows[facts.base] = facts.base_row
            recorded = RecordedImage(facts.base_files, facts.base_row)
            recorded.set_id()
            for path in ASKED:  # so that it is known of the file as it will be, too
                recorded.artifact(path)
    return rows
