"""Reading files by name, within limits; and the tree that a name lies in.

A repository may hold a FIFO, a device, a link to either, or a file without end under any name that dfopt reads. So a
reader takes regular files alone, up to a size, and never waits.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISDIR, S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

LIMIT = 16 << 20  # bytes of one file; a larger one is refused
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # the open of a FIFO would wait for its other end
_OWN = ("/dev/stdin", "/dev/stdout", "/dev/stderr")


def read_regular(path: str, limit: int = LIMIT) -> bytes:
    """The content of a regular file, or of the regular file that a link leads to. Raises OSError as `open` does, and
    for any other kind of file, one of more than `limit` bytes, and a name that no file can have."""
    handle = open_regular(path)
    try:
        size = os.fstat(handle).st_size
        if size > limit:
            raise _too_large(path, limit)
        content = os.read(handle, min(size, limit) + 1)
        if len(content) != size:  # it grows or shrinks, or its size is not told, as in /proc
            content = _rest(handle, content, path, limit)
        return content
    finally:
        os.close(handle)


def open_regular(path: str) -> int:
    """A descriptor of a regular file, for reading; to be closed by the caller. Raises OSError as `read_regular`."""
    try:
        mode = os.stat(path).st_mode  # before it is opened: to open a device may do something
    except ValueError:  # a NUL
        raise OSError(errno.EINVAL, "not a file name", path) from None
    only_regular(mode, path)
    handle = os.open(path, os.O_RDONLY | NONBLOCK | FLAGS)
    try:
        only_regular(os.fstat(handle).st_mode, path)
    except OSError:
        os.close(handle)
        raise
    return handle


def read_named(path: str, limit: int = LIMIT) -> bytes:
    """As `read_regular`, for a file that the command line names: also /dev/stdin and /dev/fd/N, which stand for what
    the caller has opened itself (a shell's `<(...)`), and are read up to `limit` bytes."""
    if not is_own_descriptor(path):
        return read_regular(path, limit)
    with open_named(path) as stream:
        return _rest(stream.fileno(), os.read(stream.fileno(), limit + 1), path, limit)


def open_named(path: str) -> BinaryIO:
    """A file that the command line names (see `read_named`), opened to be read without a buffer. Raises OSError."""
    if is_own_descriptor(path):
        return open(path, "rb", buffering=0)
    return os.fdopen(open_regular(path), "rb", buffering=0)


def is_own_descriptor(path: str) -> bool:
    """Whether a path is a name of a descriptor that this process was started with."""
    return path in _OWN or (path.startswith("/dev/fd/") and path[8:].isdecimal())


def _rest(handle: int, content: bytes, path: str, limit: int) -> bytes:
    pieces = [content]
    length = len(content)
    while pieces[-1]:
        if length > limit:
            raise _too_large(path, limit)
        pieces.append(os.read(handle, min(1 << 20, limit + 1 - length)))
        length += len(pieces[-1])
    return b"".join(pieces)


def only_regular(mode: int, path: str) -> None:
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", path)


def _too_large(path: str, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {limit} bytes", path)


def tree_of(path: str) -> str:
    """The directory that a file given by name must not leave through links: the working directory where the path
    lies below it, else the file's own directory."""
    here = os.getcwd()
    absolute = os.path.abspath(path)
    return here if absolute.startswith(os.path.join(here, "")) else os.path.dirname(absolute)


def is_inside(path: str, root: str) -> bool:
    """Whether a path, all links resolved, is `root` or lies below it; a name that no file can have does not."""
    try:
        real, top = os.path.realpath(path), os.path.realpath(root)
    except ValueError:  # a NUL
        return False
    return real == top or real.startswith(os.path.join(top, ""))
