"""The copied directory of the build context: what is there, and where it may not be moved."""

from __future__ import annotations

import re

from dfopt.analysis.context_tree import below, directories
from dfopt.ir.effects import overlap
from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.facts import Facts


class Sources:
    """The copied directory of the context, as commands see it. `prefix` ("" or "app/") leads from the context to it.
    `paths` are relative to it."""

    def __init__(self, facts: Facts, prefix: str, destination: str) -> None:
        self.facts = facts
        self.prefix = prefix
        self.destination = destination
        self._paths: frozenset[str] | None = None

    @property
    def paths(self) -> frozenset[str]:
        """Raises Refusal where the context is not known."""
        if self._paths is None:
            context = self.facts.context_paths()
            if context is None:
                raise Refusal("the build context is not known, or too large", "name the build context (--context)")
            self._paths = below(context, self.prefix)
        return self._paths

    def text(self, path: str) -> str:
        """The content of a file that is there. Raises Refusal."""
        content = self.facts.context_file(self.prefix + path)
        if content is None:
            raise Refusal(f"{path} cannot be read")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refusal(f"{path} is not UTF-8") from None

    def holds(self, path: str) -> bool:
        """Whether a file or directory is there."""
        return path in self.paths or path in directories(self.paths)


def check_collision(sources: Sources, writes: Iterable[str]) -> None:
    """Raises Refusal where something of the sources lies where the install writes. Locks among `writes` that the
    context holds are judged elsewhere (`Command.locked`)."""
    for path in writes:
        if path.endswith("/") and sources.holds(path[:-1]):
            raise Refusal(
                f"{path} of the build context lies where the install writes",
                f"put {path} into .dockerignore",
            )


def check_destination(destination: str, sources: Sources) -> None:
    """Raises Refusal where what is copied to `destination` may be seen by any program."""
    system = table("dependency_files")["system"]
    directories = system["directories"]
    if destination == "/" or any(overlap(path, destination) for path in directories):
        raise Refusal(
            f"programs of the image may read what is copied to {destination}", "copy the sources to /app or the like"
        )
    if destination == "/root" or re.fullmatch(r"/home/[^/]+", destination):
        for name in system["home"]:
            if sources.holds(name):
                raise Refusal(f"{name} in the home directory {destination} configures programs")
