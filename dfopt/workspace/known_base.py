"""A base image as the lock file knows it: it answers what was asked of its registry, and nothing else."""

from __future__ import annotations

from dfopt.facts import Artifact, PartialImage
from dfopt.registry.locked_base import ASKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dfopt.registry.locked_base import LockedBase


class KnownBase(PartialImage):
    """The image of a row of the lock file."""

    __slots__ = ("base",)

    def __init__(self, base: LockedBase, withdraw: Callable[[], None]) -> None:
        super().__init__(withdraw)
        self.base = base

    def artifact(self, path: str) -> Artifact:
        if path not in ASKED:
            self._unanswered()
        kind = self.base.files.get(path, "")
        return Artifact(kind, path=path, mode=0o755) if kind else Artifact("")

    def release(self) -> tuple[str, str]:
        return self.base.release

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        below = path.rstrip("/") + "/"
        return {place: size for place, size in self.base.set_id.items() if place.startswith(below)}
