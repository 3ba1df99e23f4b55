"""The only writer: a file is made beside its place, and put there by one rename.

A repository may hold a link under any name that dfopt writes. So nothing that is there is ever opened to be written:
links and what is no regular file are refused, and a new file has a name that nobody can guess.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from stat import S_IMODE, S_ISDIR, S_ISLNK, S_ISREG

from dfopt.files import FLAGS, NONBLOCK, is_inside, is_own_descriptor, only_regular, read_regular, tree_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_MARK = ".dfopt-"
_TEMPORARY = re.compile(r"\..{1,100}\.dfopt-[0-9a-f]{32}\.tmp", re.S)
_swept: set[str] = set()


class WriteRefused(OSError):
    """The file was not touched; the text says why."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


def _refused(path: str, reason: str) -> WriteRefused:
    return WriteRefused(errno.EPERM, reason, path)


class Replacement:
    """A file that is written beside `path` under a name that nobody can guess, and put in its place at the end of a
    `with` statement; an exception leaves what was there. It is given the mode, owner, group and extended attributes of
    the file that it replaces. `expected`: what that file must hold then. `root`: a directory that it must lie in.

    Entering and leaving raise OSError, and WriteRefused: `path` is a link or no regular file, lies outside of `root`,
    changed meanwhile, or has an owner that cannot be kept."""

    def __init__(self, path: str, expected: bytes | None = None, root: str | None = None) -> None:
        self.path = path
        self.expected = expected
        self.root = root
        self.temporary = ""

    def __enter__(self) -> BinaryIO:
        _check_target(self.path, self.root)
        _sweep(os.path.dirname(self.path) or ".")
        handle = self._create()
        try:
            self.file: BinaryIO = os.fdopen(handle, "wb")
        except BaseException:
            os.close(handle)
            os.unlink(self.temporary)
            raise
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.file.flush()
                self._put_in_place()
        finally:
            with suppress(OSError):
                self.file.close()
            if self.temporary:
                with suppress(OSError):
                    os.unlink(self.temporary)
        if kind is None:
            _sync_directory(os.path.dirname(self.path) or ".")

    def _put_in_place(self) -> None:
        handle = self.file.fileno()
        old = _copy_attributes(self.path, handle, required=self.expected is not None)
        os.fsync(handle)
        if self.expected is not None:
            try:
                now = read_regular(self.path, len(self.expected))
                status = os.lstat(self.path)
            except OSError:
                now, status = b"", None
            same = status is not None and old is not None and (status.st_ino, status.st_dev) == (old.st_ino, old.st_dev)
            if not same or now != self.expected:
                raise _refused(self.path, "the file changed since it was read")
        _check_target(self.path, self.root)
        if os.name == "nt":
            self.file.close()  # an open file cannot be renamed there
        os.replace(self.temporary, self.path)
        self.temporary = ""

    def _create(self) -> int:
        """A new file beside the target, readable by its owner alone, and locked for as long as it is open."""
        directory, name = os.path.split(self.path)
        while True:
            temporary = os.path.join(directory, f".{name[:100]}{_MARK}{os.urandom(16).hex()}.tmp")
            try:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | FLAGS, 0o600)
            except OSError as failure:  # told of the file that the user knows
                raise OSError(failure.errno, failure.strerror, self.path) from None
            if _lock(handle) and os.fstat(handle).st_nlink:
                self.temporary = temporary
                return handle
            os.close(handle)  # another process has taken it for a leftover before it was locked


def replace_file(path: str, content: bytes, expected: bytes | None = None, root: str | None = None) -> None:
    """Replaces a file at once, or creates it; see `Replacement`. Raises WriteRefused, OSError."""
    with Replacement(path, expected, root) as file:
        file.write(content)


def new_file(path: str) -> BinaryIO:
    """A file that must not be there yet, to be written: in a directory of this process's own. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | FLAGS, 0o600), "wb")


def create_file(path: str, content: bytes) -> None:
    """Writes a file that must not be there yet (see `new_file`). Raises OSError."""
    with new_file(path) as file:
        file.write(content)


class NewDirectory:
    """A directory that is filled beside `path` under a name that nobody can guess, and put there at the end of a `with`
    statement; an exception leaves nothing. Entering gives the name to fill.

    Entering and leaving raise OSError, and WriteRefused where there is something else than an empty directory."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip(os.sep) or path
        parent, name = os.path.split(self.path)
        self.temporary = os.path.join(parent, f".{name[:100]}{_MARK}{os.urandom(16).hex()}.tmp")

    def __enter__(self) -> str:
        if not os.path.basename(self.path) or "\0" in self.path:
            raise OSError(errno.EINVAL, "not a name for a new directory", self.path)
        if os.path.islink(self.path) or (os.path.lexists(self.path) and not os.path.isdir(self.path)):
            raise _refused(self.path, "it is not a directory")
        if os.path.isdir(self.path) and os.listdir(self.path):
            raise _refused(self.path, "the directory is not empty")
        try:
            os.mkdir(self.temporary, 0o700)
        except OSError as failure:  # told of the name that the user knows
            raise OSError(failure.errno, failure.strerror, self.path) from None
        return self.temporary

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(self.temporary, 0o777 & ~mask)
                with suppress(FileNotFoundError):
                    os.rmdir(self.path)  # an empty one; Windows renames onto none
                os.rename(self.temporary, self.path)
        finally:
            from shutil import rmtree

            rmtree(self.temporary, ignore_errors=True)


def remove_file(path: str, root: str | None = None) -> None:
    """Deletes a regular file. Raises WriteRefused and OSError."""
    _check_target(path, root)
    os.unlink(path)


class Output(Replacement):
    """As `Replacement`, for a file that the command line names: it must lie in the tree that its name lies in
    (`tree_of`), and /dev/stdout and /dev/fd/N are written to as they are."""

    def __init__(self, path: str) -> None:
        super().__init__(path, root=tree_of(path))
        self.direct = is_own_descriptor(path)

    def __enter__(self) -> BinaryIO:
        if not self.direct:
            return super().__enter__()
        self.file = open(self.path, "wb")
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.direct:
            self.file.close()
        else:
            super().__exit__(kind, value, trace)


def append_regular(path: str) -> BinaryIO:
    """A regular file, made where there is none, to add to and to read. Raises WriteRefused and OSError."""
    _check_target(path, tree_of(path))
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _NOFOLLOW | NONBLOCK | FLAGS, 0o666)
    try:
        only_regular(os.fstat(handle).st_mode, path)
    except OSError:
        os.close(handle)
        raise
    return os.fdopen(handle, "a+b")


def _check_target(path: str, root: str | None) -> None:
    """Raises WriteRefused where a path must not be written, and OSError."""
    if "\0" in path:
        raise OSError(errno.EINVAL, "not a file name", path)
    directory = os.path.dirname(path) or "."
    if root is not None and not is_inside(directory, root):
        raise _refused(path, f"a symbolic link leads out of the tree, to {os.path.realpath(directory)}")
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if S_ISLNK(mode):
        raise _refused(path, "it is a symbolic link")
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not S_ISREG(mode):
        raise _refused(path, "not a regular file")
    if not os.access(path, os.W_OK):  # a rename would replace it all the same
        raise _refused(path, "the file is read-only")


def _copy_attributes(target: str, handle: int, required: bool) -> os.stat_result | None:
    """Gives the new file the old one's owner, group, mode and extended attributes. Raises WriteRefused and OSError."""
    try:
        old = os.lstat(target)
    except FileNotFoundError:
        if required:
            raise _refused(target, "the file changed since it was read") from None
        if hasattr(os, "fchmod"):
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(handle, 0o666 & ~mask)
        return None
    if hasattr(os, "fchown"):
        new = os.fstat(handle)
        for what, differs, owner, group in (
            ("group", old.st_gid != new.st_gid, -1, old.st_gid), ("owner", old.st_uid != new.st_uid, old.st_uid, -1),
        ):  # fmt: skip
            if differs:
                try:
                    os.fchown(handle, owner, group)
                except OSError:
                    raise _refused(target, f"the file's {what} ({max(owner, group)}) cannot be kept") from None
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(target, follow_symlinks=False):
                os.setxattr(handle, name, os.getxattr(target, name, follow_symlinks=False))
    if hasattr(os, "fchmod"):
        os.fchmod(handle, S_IMODE(old.st_mode))
    return old


def _lock(handle: int) -> bool:
    """Locks an open file against `_sweep`; False where another process has locked it. Where there are no such locks,
    the system itself keeps an open file from being deleted (Windows), or the age must do (`_delete_unlocked`)."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True


def _sweep(directory: str) -> None:
    """Deletes what processes that were killed have left in a directory: what has such a name and nobody has locked.
    Once in a process, so that a run over many files of a directory lists it once."""
    if directory in _swept:
        return
    _swept.add(directory)
    with suppress(OSError):
        for name in os.listdir(directory):
            if _MARK in name and _TEMPORARY.fullmatch(name):
                _delete_unlocked(os.path.join(directory, name))


def _delete_unlocked(path: str) -> None:
    """Deletes a leftover: a regular file that no process has locked."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | _NOFOLLOW | NONBLOCK | FLAGS)
        try:
            if S_ISREG(os.fstat(handle).st_mode) and _lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)


def _sync_directory(directory: str) -> None:
    """Makes the rename last; where a directory cannot be opened or synced, the system decides."""
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
