"""Facts from builds of the original file, for passes. Nothing is built while passes run: their questions are recorded,
answered by builds, and available when they run again.

The original file is built once, as for any proof. Facts about another stage, or about the base of a stage, come from a
build of the file's text up to that point, whose steps are in the engine's cache.
"""

from __future__ import annotations

from dfopt.engine import EngineError
from dfopt.facts import Facts
from dfopt.image import ImageError
from dfopt.ir.program import Program
from dfopt.source import encode
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.engine import EngineImage
    from dfopt.facts import BuiltImage
    from dfopt.proof.lab import Lab
    from dfopt.source import Source


class BuildFacts(Facts):
    """`built` and `built_config` of one file, which must be readable. `wanted`: whether a question is open that a build
    would answer; `builds`: the number of builds."""

    __slots__ = ("_configs", "_images", "_program", "_questions", "builds", "failure", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.failure = ""
        self.builds = 0
        self._program: Program | None = None
        self._questions: dict[tuple[str, int], None] = {}
        self._images: dict[int, BuiltImage | None] = {}
        self._configs: dict[int, Mapping[str, Any] | None] = {}

    @property
    def program(self) -> Program:
        if self._program is None:
            self._program = Program(parse(self.source.text))
        return self._program

    @property
    def has_questions(self) -> bool:
        return bool(self._questions)

    def built(self, stage: int, base: str) -> BuiltImage | None:
        stages = self.program.stages
        if stage >= len(stages) or _plain(stages[stage].base) != _plain(base):
            return None
        if stage not in self._images:
            self._questions["image", stage] = None
        return self._images.get(stage)

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        for stage in self.program.stages:
            if stage.image is not None and stage.image != "scratch" and _plain(stage.image) == _plain(image):
                if stage.index not in self._configs:
                    self._questions["config", stage.index] = None
                return self._configs.get(stage.index)
        return None

    def unbuilt(self) -> str:
        return self.failure

    def learn(self, lab: Lab, whole: EngineImage, path: str) -> None:
        """Builds what the open questions need. `whole`: the image of the original file. What cannot be built or read
        stays unknown, and `unbuilt` says why."""
        questions, self._questions = list(self._questions), {}
        for kind, stage in questions:
            try:
                if kind == "image":
                    self._images[stage] = None
                    self._images[stage] = self._image(lab, whole, stage, path)
                else:
                    self._configs[stage] = None
                    self._configs[stage] = self._config(lab, stage, path)
            except (EngineError, ImageError) as failure:
                self.failure = self.failure or str(failure)

    def give_up(self, why: str) -> None:
        """Nothing can be built: every question stays open."""
        self.failure = why
        for kind, stage in self._questions:
            answers: dict[int, Any] = self._images if kind == "image" else self._configs
            answers[stage] = None
        self._questions = {}

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


def _plain(image: str) -> str:
    """A reference without its digest, which a fix may have added."""
    return image.partition("@")[0]
