"""Facts of a test: a build context that is written out."""

from __future__ import annotations

from collections.abc import Mapping

from dfopt.facts import Facts


class Given(Facts):
    """A build context of `files`: path -> content, as bytes or as text."""

    __slots__ = ("files",)

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self.files = files

    def context_paths(self) -> frozenset[str]:
        return frozenset(self.files)

    def context_file(self, path: str) -> bytes | None:
        found = self.files.get(path)
        return found.encode() if isinstance(found, str) else found
