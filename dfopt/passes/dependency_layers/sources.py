"""The copied directory of the build context: what is there, and where it may not be moved."""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.facts import Facts


class Reads(Exception):
    """The command reads, or may read, more of the sources than can be told; the message says what."""


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
        """Raises Reads where the context is not known."""
        if self._paths is None:
            known = self.facts.context_paths()
            if known is None:
                raise Reads("the build context is not known, or too large (--context names it)")
            size = len(self.prefix)
            self._paths = frozenset([path[size:] for path in known if path.startswith(self.prefix)])
        return self._paths

    def text(self, path: str) -> str:
        """The content of a file that is there. Raises Reads."""
        found = self.facts.context_file(self.prefix + path)
        if found is None:
            raise Reads(f"{path} cannot be read")
        try:
            return found.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Reads(f"{path} is not UTF-8") from None

    def holds(self, path: str) -> bool:
        """Whether a file or directory is there."""
        return path in self.paths or any(other.startswith(path + "/") for other in self.paths)


def collision(sources: Sources, writes: Iterable[str]) -> str:
    """What of the sources lies where the install writes, "" for nothing. Locks among `writes` that the context holds
    are judged elsewhere (`Command.locked`)."""
    for path in writes:
        if path.endswith("/") and sources.holds(path[:-1]):
            return path
    return ""


def system_directory(destination: str, sources: Sources) -> str:
    """Why what is copied to `destination` may be seen by any program; "" where it is not."""
    known = table("dependency_files")["system"]
    if destination == "/" or any(covers(one, destination) or covers(destination, one) for one in known["directories"]):
        return f"programs of the image may read what is copied to {destination}"
    if destination == "/root" or re.fullmatch(r"/home/[^/]+", destination):
        for name in known["home"]:
            if sources.holds(name):
                return f"{name} in the home directory {destination} configures programs"
    return ""
