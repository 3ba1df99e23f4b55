"""What passes ask of builds, with the answers, so that a profile can give them again.

A profile cannot hold an image. It holds what was asked of it: the passes run over the file in all the ways that a user
may choose, each alone and together, until no question is open.
"""

from __future__ import annotations

import re

from dfopt.facts import Artifact, BuiltImage, SharedLibrary
from dfopt.pass_selection import Options
from dfopt.passes.index import entries
from dfopt.profile.document import faults, schema
from dfopt.profile.facts import artifact_row, plain_name
from dfopt.proof.search import candidates
from dfopt.proof.stage_builds import BuildFacts
from dfopt.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from dfopt.engine import EngineImage
    from dfopt.image.artifacts import ImageFiles
    from dfopt.proof.lab import Lab
    from dfopt.results import Result
    from dfopt.source import Source

_TIERS = ("safe", "unsafe")
_ROUNDS = 10  # an answer may lead to another question
_WORD = re.compile(r"--?[A-Za-z-]*")


class RecordedImage(BuiltImage):
    """An image that notes what it is asked in `row`, a row of a profile's `stages`. What such a row cannot say, such as
    names with blanks, is answered and not noted."""

    __slots__ = ("inner", "row")

    def __init__(self, inner: BuiltImage, row: dict[str, Any]) -> None:
        self.inner = inner
        self.row = row

    def _note(self, question: str, path: str, answer: Any) -> None:
        rule = schema()["properties"]["stages"]["items"]["properties"][question]
        if not any(faults({path: answer}, rule)):
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
    """`built` and `built_config`, as `fix --verify` has them, of which the answers are noted. `shipped_files`: those of
    the image that the whole file made."""

    __slots__ = ("_recorded", "rows", "shipped_files")

    def __init__(self, source: Source, shipped_files: ImageFiles) -> None:
        super().__init__(source)
        self.shipped_files = shipped_files
        self.rows: dict[int, dict[str, Any]] = {}
        self._recorded: dict[int, RecordedImage] = {}

    def built(self, stage: int, base: str) -> BuiltImage | None:
        image = super().built(stage, base)
        if image is None:
            return None
        if stage not in self._recorded:
            row = self.rows[stage] = {"stage": stage, "base": plain_name(self.program.stages[stage].base)}
            self._recorded[stage] = RecordedImage(image, row)
        return self._recorded[stage]

    def _image(self, lab: Lab, whole: EngineImage, stage: int, path: str) -> BuiltImage:
        return self.shipped_files if stage == self.shipped(lab) else super()._image(lab, whole, stage, path)


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


def base_rows(facts: RecordingFacts, learn: Callable[[], None]) -> dict[str, dict[str, Any]]:
    """What a profile says of the base images of the file: their users and entrypoints, without what cannot be said."""
    images = {
        plain_name(stage.image): None
        for stage in facts.program.stages
        if stage.image is not None and stage.image != "scratch"
    }
    for image in images:
        facts.built_config(image)
    learn()
    rows: dict[str, dict[str, Any]] = {}
    for image in images:
        config = facts.built_config(image)
        if config is None:
            continue
        words = [str(word) for word in config.get("Entrypoint") or ()]
        plain = not words or all(map(_WORD.fullmatch, words[1:]))  # no word that may hold data
        rows[image] = {"user": str(config.get("User") or ""), "entrypoint": words if plain else None}
    rule = schema()["properties"]["bases"]
    return {image: row for image, row in rows.items() if not any(faults({image: row}, rule))}
