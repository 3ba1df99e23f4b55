"""What every build definition says, whatever its format."""

from __future__ import annotations

import os
import re

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol, TypeAlias

    class DefinitionTree(Protocol):
        """The files beside a definition."""

        def read(self, path: str) -> str:
            """The text of the file at an absolute path. Raises OSError, also where it lies outside of the tree."""

        def is_file(self, path: str) -> bool:
            """Whether a file of the tree is there."""


LARGEST = 512 << 10  # bytes of one definition; a larger one is refused
DEEPEST = 64  # levels of nesting, of inheritance and of inclusion
MOST_FILES = 50  # that one definition includes or extends
MOST_TARGETS = 2_000  # of one definition
MOST_VALUES = 200_000  # of one definition, those that an alias, a merge key or `extends` repeats counted each time
MOST_SCRIPT = 2 * LARGEST  # characters of the commands of one definition, repeated ones counted each time
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|git@|github\.com/|service:|target:)", re.I)


class DefinitionError(Exception):
    """A definition that cannot be read; `file`, `line` and `column` (from 1) say where."""

    def __init__(self, message: str, file: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column


class NotLiteral(Record):
    """A value that a definition does not state literally: the reason, a clause without a full stop."""

    reason: str


if TYPE_CHECKING:
    Value: TypeAlias = "str | NotLiteral"


class ContainerMount(Record):
    """What a container gets at a path: `kind` is "bind", "volume", "tmpfs" or another one of the format's own; `source`
    is "" for an anonymous volume."""

    kind: str
    source: Value
    target: Value
    read_only: bool = False


class BuildTarget(Record):
    """One build of one Dockerfile.

    name        of the service, target, job or artifact; of a command line, the command
    file        the definition
    line        where it is defined, from 1
    column
    context     the absolute path of a directory, or a URL
    dockerfile  the absolute path of a file; relative to the context where that is a URL; None for an inline one
    inline      the text of a Dockerfile that the definition holds itself
    target      the stage that is built; None: the last
    args        build arguments; None for a value from the environment of the builder
    contexts    named additional contexts: name -> absolute path, URL, or `service:NAME`, `target:NAME`
    tags        names of the image
    user        that containers of the definition run as, where it says so
    ports       of containers, e.g. "8080/tcp"
    mounts      of containers
    platforms   that the image is built for
    """

    name: str
    file: str
    line: int
    column: int
    context: Value
    dockerfile: Value | None
    inline: Value | None = None
    target: Value | None = None
    args: Mapping[str, Value | None] = {}
    contexts: Mapping[str, Value] = {}
    tags: tuple[Value, ...] = ()
    user: Value | None = None
    ports: tuple[Value, ...] = ()
    mounts: tuple[ContainerMount, ...] = ()
    platforms: tuple[Value, ...] = ()


def is_remote(context: str) -> bool:
    """Whether a build context is a URL, another image or another target, and not a directory."""
    return _URL.match(context) is not None


def resolved(base: str, path: Value) -> Value:
    """A path relative to the directory `base`, absolute; a URL as it is."""
    if isinstance(path, NotLiteral) or is_remote(path):
        return path
    return os.path.normpath(os.path.join(base, path))


def dockerfile_in(context: Value, dockerfile: Value | None, default: str = "Dockerfile") -> Value:
    """The Dockerfile of a build, whose path the format takes relative to the context."""
    path = dockerfile if dockerfile is not None else default
    if isinstance(path, NotLiteral):
        return path
    if os.path.isabs(path):
        return os.path.normpath(path)
    if isinstance(context, NotLiteral):
        return context
    return path if is_remote(context) else os.path.normpath(os.path.join(context, path))
