"""What a profile is true of: the Dockerfile's bytes, and what the file takes of its build context."""

from __future__ import annotations

import os
import posixpath
from hashlib import sha256
from stat import S_ISLNK, S_ISREG

from dfopt.files import open_regular
from dfopt.ir.context_sources import context_sources
from dfopt.syntax import go_pattern
from dfopt.workspace.facts import PROFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.ir.program import Program
    from dfopt.workspace.context import BuildContext

MOST_BYTES = 1 << 30  # of a build context
_PIECE = 1 << 20


class ContextError(Exception):
    """What a file takes of its build context cannot be told, or not within limits. The message is for users."""


def text_digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def context_digest(context: BuildContext, program: Program, dockerfile: str) -> str:
    """A digest of what COPY, ADD and bind mounts of a file take of its context: names, kinds, the right to execute,
    contents and links' targets. The Dockerfile itself, which has a key of its own, and profiles are left out.
    Raises ContextError."""
    whole = sha256()
    size = 0
    for path in _taken(context, program, dockerfile):
        place = os.path.join(context.root, path)
        try:
            status = os.lstat(place)
            name = os.fsencode(path)
            whole.update(b"%d %o\0" % (len(name), status.st_mode & 0o170100) + name)
            if S_ISLNK(status.st_mode):
                target = os.fsencode(os.readlink(place))
                whole.update(b"%d\0" % len(target) + target)
            elif S_ISREG(status.st_mode):
                size += status.st_size
                if size > MOST_BYTES:
                    raise ContextError(f"what the file takes of its build context is larger than {MOST_BYTES} bytes")
                whole.update(_content_digest(place))
        except OSError as failure:
            raise ContextError(f"{path}: {failure.strerror or failure}") from None
    return f"sha256:{whole.hexdigest()}"


def _content_digest(place: str) -> bytes:
    """Raises OSError."""
    content = sha256()
    handle = open_regular(place)
    try:
        while piece := os.read(handle, _PIECE):
            content.update(piece)
    finally:
        os.close(handle)
    return content.digest()


def _taken(context: BuildContext, program: Program, dockerfile: str) -> list[str]:
    """The files of the context that the file takes, in order. Raises ContextError."""
    sources = [source for source in context_sources(program) if not source.onbuild]
    if not sources:
        return []
    paths = context.paths()
    if paths is None:
        raise ContextError("the build context cannot be listed, or has too many files")
    own = os.path.abspath(dockerfile) if dockerfile else ""
    here = [
        path
        for path in paths
        if posixpath.basename(path) != PROFILE and os.path.abspath(os.path.join(context.root, path)) != own
    ]
    wanted = {(source.path, source.wildcard) for source in sources}
    if any(not path or (not wildcard and _linked(context.root, path)) for path, wildcard in wanted):
        return sorted(here)  # all of it, what is not known, or what lies behind a link
    exact = {path for path, wildcard in wanted if path and not wildcard}
    patterns = [path.split("/") for path, wildcard in wanted if path and wildcard]
    try:
        matched = {path for path in here if _matches(path, patterns)}
    except go_pattern.GoPatternError:
        return sorted(here)
    if any(_linked(context.root, path) for path in matched):
        return sorted(here)
    return sorted(path for path in here if path in matched or _is_below(path, exact))


def _linked(root: str, path: str) -> bool:
    """Whether a link stands at a path, or on the way there."""
    parts = path.split("/")
    return any(os.path.islink(os.path.join(root, *parts[:count])) for count in range(1, len(parts) + 1))


def _is_below(path: str, names: set[str]) -> bool:
    while path:
        if path in names:
            return True
        path = posixpath.dirname(path)
    return False


def _matches(path: str, patterns: Iterable[list[str]]) -> bool:
    parts = path.split("/")
    return any(len(parts) >= len(pattern) and all(map(go_pattern.match, pattern, parts)) for pattern in patterns)
