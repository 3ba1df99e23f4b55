"""Facts of a golden case: what `facts.toml` beside it says, and the files of its own directory as the build context."""

from __future__ import annotations

from pathlib import Path

from dfopt.facts import Child, Facts
from dfopt.knowledge import load_toml
from dfopt.syntax import dockerignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_OWN = frozenset(
    ("Dockerfile", "case.toml", "build.toml", "facts.toml", "expected.Dockerfile", "expected.diff", "expected.txt")
)


class CaseFacts(Facts):
    """`facts.toml`: `[digests]` image -> digest, `[checksums]` URL -> checksum, `[images."name"]` image config,
    `context = false` for no context, `[children."NAME"]` a file of the tree (`text`) that may be built on the image of
    this one, by the names of `images`."""

    __slots__ = ("path", "table")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table: dict[str, Any] = {}
        file = path / "facts.toml"
        if file.is_file():
            self.table = load_toml(file.read_bytes())

    def digest(self, image: str) -> str | None:
        found = self.table.get("digests", {}).get(image)
        return found if isinstance(found, str) else None

    def checksum(self, url: str) -> str | None:
        found = self.table.get("checksums", {}).get(url)
        return found if isinstance(found, str) else None

    def context_paths(self) -> frozenset[str] | None:
        if not self.table.get("context", True):
            return None
        found = (path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file())
        left_out = self.ignored().leaves_out
        return frozenset(name for name in found if name not in _OWN and not left_out(name))

    def ignored(self) -> dockerignore.Matcher:
        """What the case's own .dockerignore leaves out."""
        file = self.path / ".dockerignore"
        return dockerignore.read(file.read_bytes() if file.is_file() else b"")

    def context_holds(self, path: str) -> bool | None:
        paths = self.context_paths()
        return None if paths is None else path in paths or any(other.startswith(path + "/") for other in paths)

    def context_file(self, path: str) -> bytes | None:
        if not self.table.get("context", True) or path in _OWN or self.ignored().leaves_out(path):
            return None
        file = self.path / path
        return file.read_bytes() if file.is_file() else None

    def children(self) -> tuple[Child, ...] | None:
        rows = self.table.get("children", {})
        return tuple([Child(name, row["text"], frozenset(row["images"])) for name, row in rows.items()])

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        found = self.table.get("images", {}).get(image)
        return found if isinstance(found, dict) else None
