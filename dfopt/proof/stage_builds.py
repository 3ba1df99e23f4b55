"""Facts from builds of the original file, for passes. Nothing is built while passes run: their questions are recorded,
answered by builds, and available when they run again.

The original file is built once, as for any proof. Facts about another stage, or about the base of a stage, come from a
build of the file's text up to that point, whose steps are in the engine's cache.
"""

from __future__ import annotations

from dfopt.engine import EngineError
from dfopt.facts import Facts
from dfopt.image import ImageError
from dfopt.image.artifacts import ImageFiles
from dfopt.ir.program import Program
from dfopt.ir.stages import SCRATCH
from dfopt.profile.facts import observed_run_of
from dfopt.proof.errors import ProofError
from dfopt.proof.lacking import lacking_packages
from dfopt.proof.observed.missing import add_missing
from dfopt.proof.observed.run_needs import Additions, BuiltFiles, RunNeeds
from dfopt.proof.opened_files import needed_files
from dfopt.proof.smoke_runs import observed_runs
from dfopt.refusal import Refusal
from dfopt.source import encode
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dfopt.engine import EngineImage
    from dfopt.facts import BuiltImage, ObservedRun, RunEvidence
    from dfopt.image import Archive
    from dfopt.proof.lab import Lab, ProofImage
    from dfopt.proof.smoke_runs import WatchedTest
    from dfopt.proof.verdict import ProofVerdict
    from dfopt.source import Source


class BuildFacts(Facts):
    """`built` and `built_config` of one file, which must be readable. `wanted`: whether a question is open that a build
    would answer; `builds`: the number of builds; `judged`: whether a smoke test judges what comes of the answers."""

    __slots__ = (
        "_added", "_bases", "_configs", "_images", "_lacking", "_needs", "_program", "_questions", "_ran", "_runs",
        "_secret_paths", "_watched", "builds", "failure", "judged", "source",
    )  # fmt: skip

    def __init__(self, source: Source, *, judged: bool = False) -> None:
        self.source = source
        self.judged = judged
        self.failure = ""
        self.builds = 0
        self._program: Program | None = None
        self._questions: dict[tuple[str, int], None] = {}
        self._images: dict[int, BuiltImage | None] = {}
        self._configs: dict[int, Mapping[str, Any] | None] = {}
        self._ran: dict[int, ObservedRun | None] = {}
        self._runs: dict[tuple[int, str], None] = {}  # what is asked of `run_evidence`
        self._needs: dict[tuple[int, str], RunNeeds | Refusal] = {}
        self._added = Additions()
        self._lacking: dict[tuple[int, str], dict[str, str] | Refusal] = {}  # what is asked of `lacking`
        self._bases: dict[int, ImageFiles] = {}  # by the index of a stage: the image that it starts from
        self._secret_paths: tuple[str, ...] = ()
        self._watched: Sequence[WatchedTest] | None = None  # None: nobody looked yet

    @property
    def program(self) -> Program:
        if self._program is None:
            self._program = Program(parse(self.source.text))
        return self._program

    @property
    def has_evidence(self) -> bool:
        """Whether what a build or a smoke test lacks can change an answer."""
        return bool(self._lacking) or any(isinstance(needs, RunNeeds) for needs in self._needs.values())

    @property
    def has_questions(self) -> bool:
        return bool(self._questions or self._runs)

    def built(self, stage: int, base: str) -> BuiltImage | None:
        if not self._is_stage(stage, base):
            return None
        if stage not in self._images:
            self._questions["image", stage] = None
        return self._images.get(stage)

    def _is_stage(self, stage: int, base: str) -> bool:
        """Whether the file, as it was built, has a stage of that index and base."""
        stages = self.program.stages
        return stage < len(stages) and _plain(stages[stage].base) == _plain(base)

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        for stage in self.program.stages:
            if stage.image is not None and stage.image != "scratch" and _plain(stage.image) == _plain(image):
                if stage.index not in self._configs:
                    self._questions["config", stage.index] = None
                return self._configs.get(stage.index)
        return None

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        if not (self.judged and self._is_stage(stage, base)):
            return None
        key = stage, image
        if key not in self._needs:
            self._runs[key] = None
            return None
        needs = self._needs[key]
        if isinstance(needs, Refusal):
            return needs.copy()
        try:
            return needs.find(self._added)
        except Refusal as refusal:
            return refusal.copy()

    def lacking(self, stage: int, base: str, image: str) -> Mapping[str, str] | Refusal:
        if not (self.judged and self._is_stage(stage, base)):
            return {}
        found = self._lacking.setdefault((stage, _plain(image)), {})
        return found.copy()

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        if not (self.judged and self._is_stage(stage, base)):
            return None
        if stage not in self._ran:
            self._questions["run", stage] = None
        return self._ran.get(stage)

    def learn_failure(self, lab: Lab, path: str, verdict: ProofVerdict, tried: str) -> None:
        """Takes what the failure of `tried`, a Dockerfile, names into the answers of `run_evidence` and `lacking`."""
        smoke = verdict.smoke.output if verdict.smoke is not None and not verdict.smoke.passed else ""
        if smoke:
            for needs in self._needs.values():
                if isinstance(needs, RunNeeds):
                    add_missing(needs, smoke, self._added)
        output = smoke or verdict.log
        for (stage, _), packages in self._tried_bases(tried).items() if output else ():
            for package, thing in lacking_packages(self._base_files(lab, stage, path), output).items():
                packages.setdefault(package, thing)

    def _tried_bases(self, tried: str) -> dict[tuple[int, str], dict[str, str]]:
        """What trials lacked on the bases that `tried` has in the place of others, by the key of `_lacking`."""
        images = {_plain(stage.base) for stage in Program(parse(tried)).stages}
        rows = self._lacking.items()
        return {key: packages for key, packages in rows if key[1] in images and isinstance(packages, dict)}

    def give_up_base(self, tried: str) -> bool:
        """Notes that what had to be added to the bases of `tried` makes it no smaller; whether anything had to be."""
        given_up = {key: packages for key, packages in self._tried_bases(tried).items() if packages}
        for key, packages in given_up.items():
            names = ", ".join(sorted(packages))
            self._lacking[key] = Refusal(f"with {names}, which a trial lacked, it is no smaller")
        return bool(given_up)

    def _base_files(self, lab: Lab, stage: int, path: str) -> ImageFiles:
        """The files of the image that a stage starts from; none where they cannot be read."""
        if stage not in self._bases:
            self._bases[stage] = ImageFiles.nothing()
            try:
                image = self._part(lab, self.program.stages[stage].position + 1, path)
                try:
                    self._bases[stage] = lab.files(image)
                finally:
                    lab.engine.remove(image)
            except (EngineError, ImageError) as failure:
                self.failure = self.failure or str(failure)
        return self._bases[stage]

    def has_judge(self) -> bool:
        return self.judged

    def unbuilt(self) -> str:
        return self.failure

    def learn(self, lab: Lab, built: ProofImage, path: str) -> None:
        """Builds what the open questions need. `built`: the original file, as a whole. What cannot be built or read
        stays unknown, and `unbuilt` says why."""
        whole = built.image
        questions, self._questions = list(self._questions), {}
        for kind, stage in questions:
            try:
                if kind == "image":
                    self._images[stage] = None
                    self._images[stage] = self._image(lab, whole, stage, path)
                elif kind == "run":
                    self._ran[stage] = None
                    self._ran[stage] = self._observed_run(lab, built) if stage == self.shipped(lab) else None
                else:
                    self._configs[stage] = None
                    self._configs[stage] = self._config(lab, stage, path)
            except (EngineError, ImageError, ProofError) as failure:
                self.failure = self.failure or str(failure)
        runs, self._runs = list(self._runs), {}
        for index in dict.fromkeys(index for index, _ in runs):
            images = [image for other, image in runs if other == index]
            try:
                self._needs.update(self._observe(lab, built, index, images, path))
            except (EngineError, ImageError, ProofError) as failure:
                self._needs.update({(index, image): _unknown(failure) for image in images})

    def _watched_tests(self, lab: Lab, whole: ProofImage) -> Sequence[WatchedTest]:
        """The smoke tests of the original, which run once more to be watched. Raises EngineError, ProofError."""
        if self._watched is None:
            self._watched = observed_runs(lab, whole)
        return self._watched

    def _observed_run(self, lab: Lab, whole: ProofImage) -> ObservedRun | None:
        """What the image's program does while the smoke script runs beside it; None without a script, or where the
        engine tells nothing of containers. Raises EngineError, ProofError."""
        if not lab.plan.smoke_script:
            return None
        return observed_run_of([test.row for test in self._watched_tests(lab, whole)])

    def _observe(
        self, lab: Lab, whole: ProofImage, stage: int, images: list[str], path: str
    ) -> Mapping[tuple[int, str], RunNeeds | Refusal]:
        """What a stage needs on each of these images: its own is read once. Raises EngineError, ImageError,
        ProofError."""
        if stage != self.shipped(lab):
            other = Refusal("another stage than the last is built, so that its run was not tested")
            return {(stage, image): other for image in images}
        program = self.program
        base_layers = self._layers(lab, program.root(program.stages[stage]).position, path)
        settings = lab.settings(whole.image)
        opens = [test.opens for test in self._watched_tests(lab, whole)]
        opened = needed_files(lab, whole, opens, self._secret_paths)
        needs: dict[tuple[int, str], RunNeeds | Refusal] = {}
        runs: dict[str, ImageFiles] = {}
        for image in images:
            try:
                runs[image] = self._run_files(lab, image, path)
            except (EngineError, ImageError) as failure:
                needs[stage, image] = _unknown(failure)

        def read(archive: Archive) -> None:
            from dfopt.stage_templates.stage_recipes import stage_recipes

            built = archive.image()
            files = ImageFiles(built)
            base = files.below(base_layers)
            for image, run in runs.items():
                known = BuiltFiles(files, run, base, settings, program.text, opened)
                needs[stage, image] = RunNeeds(known, built, stage_recipes())

        lab.read(whole.image, read)
        return needs

    def _run_files(self, lab: Lab, image: str, path: str) -> ImageFiles:
        """The files of an image to run on. Raises EngineError, ImageError."""
        if image == SCRATCH:
            return ImageFiles.nothing()
        part = lab.part(encode(f"FROM {image}\n"), path)
        self.builds += 1
        try:
            return lab.files(part)
        finally:
            lab.engine.remove(part)

    def _layers(self, lab: Lab, position: int, path: str) -> int:
        """How many layers the base image of the FROM at `position` has. Raises EngineError, ImageError."""
        image = self._part(lab, position + 1, path)
        try:
            return lab.layer_count(image)
        finally:
            lab.engine.remove(image)

    def give_up(self, why: str) -> None:
        """Nothing can be built: every question stays open."""
        self.failure = why
        for kind, stage in self._questions:
            answers: dict[str, dict[int, Any]] = {"image": self._images, "config": self._configs, "run": self._ran}
            answers[kind][stage] = None
        self._questions, self._runs = {}, {}

    def shipped(self, lab: Lab) -> int | None:
        """The stage that a build makes the image of; None where the target names none."""
        count = len(self.program.stages)
        return count - 1 if lab.plan.target is None else self.program.stage_named(lab.plan.target, count)

    def _image(self, lab: Lab, whole: EngineImage, stage: int, path: str) -> BuiltImage:
        stages = self.program.stages
        if stage == self.shipped(lab):
            return lab.files(whole)
        stop = stages[stage + 1].position if stage + 1 < len(stages) else len(self.program.dockerfile.instructions)
        image = self._part(lab, stop, path)
        try:
            return lab.files(image)
        finally:
            lab.engine.remove(image)

    def _config(self, lab: Lab, stage: int, path: str) -> Mapping[str, Any]:
        image = self._part(lab, self.program.stages[stage].position + 1, path)
        try:
            return lab.settings(image)
        finally:
            lab.engine.remove(image)

    def _part(self, lab: Lab, stop: int, path: str) -> EngineImage:
        """The image of the file's first `stop` instructions."""
        last = self.program.dockerfile.instructions[stop - 1]
        lab.say(f"built up to line {last.last}, for what a fix hangs on")
        self.builds += 1
        return lab.part(encode(self.program.text[: last.end] + "\n"), path)


def _unknown(failure: Exception) -> Refusal:
    return Refusal(f"what the run needs is not known: {failure}")


def _plain(image: str) -> str:
    """A reference without its digest, which a fix may have added."""
    return image.partition("@")[0]
