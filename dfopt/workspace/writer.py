"""The only function that writes a Dockerfile: it takes a gated result, and writes all of it or nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from stat import S_IMODE, S_ISREG

from dfopt.source import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.results import Result

_attempts = 0


class WriteRefused(Exception):
    """The file was not touched; the message says why."""


def write_result(result: Result, path: str, root: str) -> None:
    """Puts `result.output` in the place of the file at `path`, which must still hold `result.source`.

    A temporary file beside it is written, synced, given the mode, owner and extended attributes of the old one, and
    renamed over it; so that a reader sees the old file or the new one. A symbolic link is resolved, and its target
    replaced; it may not lead out of `root`. Hard links to the old file keep the old content. Raises WriteRefused
    (changed meanwhile, no regular file, out of the tree) and OSError; the file is as it was then.
    """
    if result.problem is not None or not result.changed:
        raise WriteRefused("there is nothing to write")
    target = resolve(path, root)
    replace_file(target, encode(result.output), expected=result.source.to_bytes())


def resolve(path: str, root: str) -> str:
    """The real path of the file to replace. Raises WriteRefused where it lies outside `root`, is no regular file, or
    may not be written."""
    target = os.path.realpath(path)
    if not target.startswith(os.path.join(os.path.realpath(root), "")):
        raise WriteRefused(f"a symbolic link leads out of the tree, to {target}")
    if not S_ISREG(os.stat(target).st_mode):
        raise WriteRefused("not a regular file")
    if not os.access(target, os.W_OK):  # a rename would replace it all the same
        raise WriteRefused("the file is read-only")
    return target


def replace_file(target: str, content: bytes, expected: bytes | None = None) -> None:
    """Replaces the file `target` (no link) by `content` at once, or creates it. `expected`: what it must hold now.
    Raises WriteRefused, OSError."""
    directory = os.path.dirname(target) or "."
    temporary, handle = _create(directory, os.path.basename(target))
    try:
        try:
            _write_all(handle, content)
            old = _copy_attributes(target, handle, required=expected is not None)
            os.fsync(handle)
        finally:
            os.close(handle)
        if expected is not None:
            with open(target, "rb") as file:
                now = file.read()
            status = os.lstat(target)
            if now != expected or old is None or (status.st_ino, status.st_dev) != (old.st_ino, old.st_dev):
                raise WriteRefused("the file changed since it was read")
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)


def _create(directory: str, name: str) -> tuple[str, int]:
    """A new file beside the target, readable by its owner alone; its path and descriptor."""
    global _attempts
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        _attempts += 1
        path = os.path.join(directory, f".{name[:100]}.dfopt-{os.getpid()}-{_attempts}.tmp")
        try:
            return path, os.open(path, flags, 0o600)
        except FileExistsError:
            continue


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def _copy_attributes(target: str, handle: int, required: bool) -> os.stat_result | None:
    """Gives the new file the old one's owner, mode and extended attributes as far as the system lets us."""
    try:
        old = os.lstat(target)
    except FileNotFoundError:
        if required:
            raise WriteRefused("the file changed since it was read") from None
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return None
    if hasattr(os, "fchown"):
        new = os.fstat(handle)
        for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
            if (owner, group) not in ((-1, new.st_gid), (new.st_uid, -1)):
                with suppress(OSError):
                    os.fchown(handle, owner, group)
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(handle, name, os.getxattr(target, name))
    if hasattr(os, "fchmod"):
        os.fchmod(handle, S_IMODE(old.st_mode))
    return old


def _sync_directory(directory: str) -> None:
    """Makes the rename last; where a directory cannot be opened or synced, the system decides."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)
