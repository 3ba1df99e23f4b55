"""A base image as the lock file knows it: it answers what was asked of its registry, and nothing else."""

from __future__ import annotations

from dfopt.facts import Artifact, BuiltImage, UnansweredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dfopt.registry.locked_base import LockedBase


class KnownBase(BuiltImage):
    """`withdraw` takes the image away once it is asked what it cannot answer (see `UnansweredError`)."""

    __slots__ = ("base", "withdraw")

    def __init__(self, base: LockedBase, withdraw: Callable[[], None]) -> None:
        self.base = base
        self.withdraw = withdraw

    def artifact(self, path: str) -> Artifact:
        from dfopt.registry.locked_base import ASKED

        if path not in ASKED:
            raise UnansweredError(self.withdraw)
        kind = self.base.files.get(path, "")
        return Artifact(kind, path=path, mode=0o755) if kind else Artifact("")

    def release(self) -> tuple[str, str]:
        return self.base.release

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        below = path.rstrip("/") + "/"
        return {place: size for place, size in self.base.set_id.items() if place.startswith(below)}

    def needs_below(self, path: str) -> Mapping[str, object]:  # type: ignore[override]
        raise UnansweredError(self.withdraw)

    def script(self, path: str) -> str | None:
        raise UnansweredError(self.withdraw)

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        raise UnansweredError(self.withdraw)
