"""Digests and checksums as the passes ask for them: from the lock file, or from what a run has found out before.

Making these costs a run nothing: the lock file is read, and its reader imported, when a pass asks.
"""

from __future__ import annotations

import os

from dfopt.facts import Facts
from dfopt.files import is_inside
from dfopt.workspace.paths import above, above_in_repository, bound_of, display_name
from dfopt.workspace.settings import ConfigError

LOCK_NAME = "dfopt.lock"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.facts import BuiltImage
    from dfopt.registry.lock import Lock
    from dfopt.registry.locked_base import LockedBase


def find_lock(directory: str) -> str | None:
    """The nearest lock file in `directory` or above it, up to the root of its repository, if it lies in one. Raises
    ConfigError where it is a link out of the repository."""
    directory = os.path.abspath(directory)
    inside = above_in_repository(directory)
    for place in (directory, *(above(directory) if inside is None else inside)):
        path = os.path.join(place, LOCK_NAME)
        if os.path.isfile(path):
            if not is_inside(path, bound_of(path)):
                raise ConfigError("lies outside of the repository (--lock may lead there)", display_name(path))
            return path
    return None


def full_name(image: str) -> str | None:
    """An image reference in full, without its pin (`docker.io/library/debian:12`): the key of the lock. None where it
    is not such a reference, or has a digest and no tag."""
    from dfopt.registry.errors import RegistryError
    from dfopt.registry.reference import target_of

    try:
        target = target_of(image)
    except RegistryError:
        return None
    return str(target) if target.tag else None


class LockFacts(Facts):
    """What a lock file knows; it is read when something is asked for. Raises ConfigError then, where it is broken."""

    __slots__ = ("_lock", "_withdrawn", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock: Lock | None = None
        self._withdrawn: set[str] = set()  # digests of base images that were asked what is not known

    def __reduce__(self) -> tuple[Any, ...]:
        return LockFacts, (self.path,)

    @property
    def lock(self) -> Lock:
        if self._lock is None:
            from dfopt.registry.lock import LockError, read_lock

            try:
                self._lock = read_lock(self.path)
            except LockError as failure:
                raise ConfigError(
                    f"{failure.what}; {failure.hint}" if failure.hint else failure.what, failure.path, failure.line, 1
                ) from None
        return self._lock

    def digest(self, image: str) -> str | None:
        name = full_name(image)
        entry = self.lock.image(name) if name is not None else None
        return entry.digest if entry is not None else None

    def checksum(self, url: str) -> str | None:
        return self.lock.checksum(url)

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        base = self._base(image)
        return base.config if base is not None else None

    def base_image(self, image: str) -> BuiltImage | None:
        base = self._base(image)
        if base is None or base.digest in self._withdrawn:
            return None
        from dfopt.workspace.known_base import KnownBase

        digest = base.digest
        return KnownBase(base, lambda: self._withdrawn.add(digest))

    def image_bytes(self, image: str) -> int | None:
        base = self._base(image)
        return base.bytes if base is not None else None

    def _base(self, image: str) -> LockedBase | None:
        digest = image.partition("@")[2] or self.digest(image)
        return self.lock.base(digest) if digest else None


class KnownFacts(Facts):
    """Digests and image configs by full name, and checksums by URL."""

    __slots__ = ("checksums", "configs", "digests")

    def __init__(
        self,
        digests: Mapping[str, str],
        checksums: Mapping[str, str],
        configs: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.digests = digests
        self.checksums = checksums
        self.configs = configs or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return KnownFacts, (self.digests, self.checksums, self.configs)

    def digest(self, image: str) -> str | None:
        name = full_name(image)
        return self.digests.get(name) if name is not None else None

    def checksum(self, url: str) -> str | None:
        return self.checksums.get(url)

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        name = full_name(image)
        return self.configs.get(name) if name is not None else None
