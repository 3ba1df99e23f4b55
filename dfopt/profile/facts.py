"""A profile's answers to what passes ask. It knows what was asked when it was made; anything else is left unknown."""

from __future__ import annotations

from dfopt.facts import Artifact, Facts, ObservedRun, PartialConfig, PartialImage, SharedLibrary
from dfopt.profile.evidence import evidence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from dfopt.facts import BuiltImage, RunEvidence

_PATIENCE = 3  # stages of which something was asked that the profile does not know


class ProfiledImage(PartialImage):
    """The image of a stage, or a base image, by its row in a profile."""

    __slots__ = ("row",)

    def __init__(self, row: Mapping[str, Any], withdraw: Callable[[], None]) -> None:
        super().__init__(withdraw)
        self.row = row

    def artifact(self, path: str) -> Artifact:
        return artifact_of(self._answer("artifact", path), path)

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        answer = self._answer("needs_below", path)
        return {name: SharedLibrary(row["path"], row["package"]) for name, row in answer.items()}

    def script(self, path: str) -> str | None:
        return None  # a profile holds no content of a file

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        return {place: artifact_of(row, place) for place, row in self._answer("programs_below", path).items()}

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        answer: dict[str, int] = self._answer("set_id", path)
        return answer

    def release(self) -> tuple[str, str]:
        if "release" not in self.row:
            self._unanswered()
        name, version = self.row["release"]
        return name, version

    def _answer(self, question: str, path: str) -> Any:
        answers = self.row.get(question, {})
        if path not in answers:
            self._unanswered()
        return answers[path]


class ProfileFacts(Facts):
    """What the parts of a profile that fit answer. `run`: what the program of a stage did; `withdrawn`: stages, and
    names of base images, of which something else was asked than the profile knows; `used`: what was answered from
    it."""

    __slots__ = ("bases", "run", "stages", "used", "withdrawn")

    def __init__(
        self,
        stages: Mapping[int, Mapping[str, Any]],
        bases: Mapping[str, Mapping[str, Any]],
        run: tuple[int, ObservedRun] | None = None,
    ) -> None:
        self.stages = stages
        self.bases = bases
        self.run = run
        self.withdrawn: set[int | str] = set()
        self.used: dict[str, None] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return ProfileFacts, (self.stages, self.bases, self.run)

    @property
    def sources(self) -> frozenset[str]:
        """What passes call the source of figures that they made of answers from here."""
        files = any(text.startswith("the files of") for text in self.used)
        stages = any(text.startswith("the image of") for text in self.used)
        return frozenset((*(("registry",) if files else ()), *(("build",) if stages else ())))

    def built(self, stage: int, base: str) -> BuiltImage | None:
        row = self.stages.get(stage)
        if row is None or stage in self.withdrawn or row["base"] != plain_name(base):
            return None
        return self._image(stage, row, f"the image of stage {stage} ({row['base']})")

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        image = self.built(stage, base)
        return None if image is None or self.run is None or self.run[0] != stage else self.run[1]

    def base_image(self, image: str) -> BuiltImage | None:
        name = plain_name(image)
        row = self.bases.get(name)
        if row is None or name in self.withdrawn or "release" not in row:
            return None
        return self._image(name, row, f"the files of the base image {name}")

    def _image(self, key: int | str, row: Mapping[str, Any], shown: str) -> BuiltImage:
        """`key`: as in `withdrawn`; all of them where something unknown is asked again and again, because passes begin
        anew each time."""

        def withdraw() -> None:
            self.withdrawn.add(key)
            self.used.pop(shown, None)
            if len(self.withdrawn) >= _PATIENCE:
                self.withdrawn.update(self.stages, self.bases)
                self.used.clear()

        self.used[shown] = None
        return ProfiledImage(row, withdraw)

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | None:
        row = self.stages.get(stage)
        if row is None or row["base"] != plain_name(base):
            return None
        found = row.get("run_evidence", {}).get(plain_name(image))
        if found is None:
            return None
        self.used[f"the image of stage {stage} ({row['base']}), and what its smoke test needs"] = None
        return evidence_of(found)

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        row = self.bases.get(plain_name(image))
        if row is None or row["entrypoint"] is None:
            return None
        self.used[f"the base image {plain_name(image)}"] = None
        return PartialConfig(User=row["user"], Entrypoint=row["entrypoint"])


def observed_run_of(rows: Iterable[Mapping[str, Any]]) -> ObservedRun | None:
    """What the image's program did while the smoke script ran, by `runs` of a profile; None where nobody saw."""
    row = next((row for row in rows if row["test"] == "script" and row["written"] is not None), None)
    if row is None:
        return None
    return ObservedRun(tuple(row["written"]), None if row["listens"] is None else tuple(row["listens"]))


def plain_name(image: str) -> str:
    """A reference without its digest, which a fix may have added."""
    return image.partition("@")[0]


def artifact_of(row: Mapping[str, Any], path: str) -> Artifact:
    """An artifact by its row; `path`: what was asked for."""
    return Artifact(
        row["kind"], row.get("static", False), tuple(row.get("needs", ())), row.get("interpreter", ""),
        row.get("package"), row.get("path", path if row["kind"] else ""), row.get("mode", 0),
    )  # fmt: skip


def artifact_row(artifact: Artifact, path: str) -> dict[str, Any]:
    """The row of an artifact, from which `artifact_of` makes it again."""
    row: dict[str, Any] = {"kind": artifact.kind}
    if artifact.static:
        row["static"] = True
    if artifact.needs:
        row["needs"] = list(artifact.needs)
    if artifact.interpreter:
        row["interpreter"] = artifact.interpreter
    if artifact.package is not None:
        row["package"] = artifact.package
    if artifact.kind and artifact.path != path:
        row["path"] = artifact.path
    if artifact.mode:
        row["mode"] = artifact.mode
    return row
