"""Facts of a golden case: what its `facts.toml` says, and its other files as the build context."""

from __future__ import annotations

from dfopt.facts import Artifact, BuiltImage, Child, Facts, ObservedRun, Parent, SharedLibrary, StatedBuild
from dfopt.refusal import Refusal
from dfopt.syntax import dockerignore
from dfopt.testing.case_files import OWN, CaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.testing.case_files import CaseFiles


class CaseImage(BuiltImage):
    """An image of which the kinds of some files are told."""

    __slots__ = ("kinds",)

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def artifact(self, path: str) -> Artifact:
        kind = self.kinds.get(path, "")
        return Artifact(kind, path=path if kind else "")

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        return {}

    def script(self, path: str) -> str | None:
        return None

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        return {}

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        return {}

    def release(self) -> tuple[str, str]:
        return "", ""


class CaseFacts(Facts):
    """`facts.toml`: `[digests]` image -> digest, `[checksums]` URL -> checksum, `[images."name"]` image config,
    `context = false` for no context, `[children."NAME"]` a file of the tree (`text`) that may be built on the image of
    this one, by the names of `images`, `[parents]` image -> the text of the Dockerfile of the tree that builds it,
    `[builds.NAME]` a build that a definition states: `target`, `arguments`, `user`, `ports`, `mounts`;
    `judge = true` for a smoke test that judges what comes, `[run]` what the program of the image did beside one
    (`written`, `listens`), and `[run.files]` path -> the kind of what the image has there; `[lacking."IMAGE"]` package
    -> what a trial on that base lacked, or `lacking."IMAGE" = "why it was given up"`."""

    __slots__ = ("files", "ignored", "paths", "table")

    def __init__(self, files: CaseFiles) -> None:
        self.files = files
        self.ignored = dockerignore.read(files.read(".dockerignore") or b"")
        self.paths: frozenset[str] | None = None  # of the context, once they are asked for
        self.table = files.table("facts.toml")
        for key in ("digests", "checksums", "images", "children", "parents", "builds"):
            if not isinstance(self.table.get(key, {}), dict):
                raise CaseError(f"{files.where('facts.toml')}: {key}: must be a table")
        for row in self.table.get("children", {}).values():
            whole = isinstance(row, dict) and isinstance(row.get("text"), str) and isinstance(row.get("images"), list)
            if not whole:
                raise CaseError(f"{files.where('facts.toml')}: children: needs text and images")

    def digest(self, image: str) -> str | None:
        answer = self.table.get("digests", {}).get(image)
        return answer if isinstance(answer, str) else None

    def checksum(self, url: str) -> str | None:
        answer = self.table.get("checksums", {}).get(url)
        return answer if isinstance(answer, str) else None

    def context_paths(self) -> frozenset[str] | None:
        if not self.table.get("context", True):
            return None
        if self.paths is None:
            self.paths = frozenset(name for name in self.files.context() if not self.ignored.leaves_out(name))
        return self.paths

    def context_holds(self, path: str) -> bool | None:
        paths = self.context_paths()
        return None if paths is None else path in paths or any(other.startswith(path + "/") for other in paths)

    def context_leaves_out(self, path: str) -> bool | None:
        return None if self.context_paths() is None else path in self.files.context() and self.ignored.leaves_out(path)

    def context_file(self, path: str) -> bytes | None:
        if not self.table.get("context", True) or path in OWN or self.ignored.leaves_out(path):
            return None
        return self.files.read(path)

    def children(self) -> tuple[Child, ...] | None:
        rows = self.table.get("children", {})
        return tuple([Child(name, row["text"], frozenset(row["images"])) for name, row in rows.items()])

    def parent(self, image: str) -> Parent | None:
        text = self.table.get("parents", {}).get(image)
        return Parent(f"Dockerfile of {image}", text) if isinstance(text, str) else None

    def stated_builds(self) -> tuple[StatedBuild, ...] | None:
        builds: list[StatedBuild] = []
        for name, row in self.table.get("builds", {}).items():
            try:
                words: dict[str, Any] = {
                    key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
                }
                builds.append(StatedBuild("compose.yaml:1", name, **words))
            except (AttributeError, TypeError) as failure:
                raise CaseError(f"{self.files.where('facts.toml')}: builds.{name}: {failure}") from None
        return tuple(builds) or None

    def built(self, stage: int, base: str) -> BuiltImage | None:
        return CaseImage(self.table["run"].get("files", {})) if "run" in self.table else None

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        row = self.table.get("run")
        if row is None:
            return None
        return ObservedRun(tuple(row["written"]), tuple(row["listens"]) if "listens" in row else None)

    def lacking(self, stage: int, base: str, image: str) -> Mapping[str, str] | Refusal:
        answer = self.table.get("lacking", {}).get(image, {})
        return answer if isinstance(answer, dict) else Refusal(str(answer))

    def has_judge(self) -> bool:
        return self.table.get("judge") is True

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        answer = self.table.get("images", {}).get(image)
        return answer if isinstance(answer, dict) else None
