"""fanotify(7): which files of a mounted file system are opened, by which processes.

Through ctypes: Python has no binding, and the one on PyPI that is kept (pyfanotify) comes as C source alone, to be
compiled where it is installed, with a server process of its own; what is needed here is two system calls.
Sources: fanotify_init(2), fanotify_mark(2), fanotify(7); linux/fanotify.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OPENED, EXECUTED, OVERFLOW = 0x20, 0x1000, 0x4000  # FAN_OPEN, FAN_OPEN_EXEC, FAN_Q_OVERFLOW

_CLOEXEC, _NONBLOCK = 0x1, 0x2  # of a group that is notified: FAN_CLASS_NOTIF is 0
_ADD, _FILESYSTEM = 0x1, 0x100
_NO_DIRECTORY = -100  # AT_FDCWD
_VERSION = 3  # FANOTIFY_METADATA_VERSION
_METADATA = struct.Struct("=IBBHQii")  # length, version, reserved, length of this part, mask, descriptor, PID
_AT_ONCE = 128  # events in one read: each comes with an open descriptor


class OpenEvent(Record):
    """`path`: as the process sees it, if its mounts are others than those here; "" where it is not known."""

    mask: int
    pid: int
    path: str


class Fanotify:
    """A group of marks, and the queue of their events, which the kernel bounds. Raises OSError: EPERM without the right
    (CAP_SYS_ADMIN), ENOSYS where the system has none."""

    def __init__(self) -> None:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            self._mark, initialize = libc.fanotify_mark, libc.fanotify_init
        except (AttributeError, TypeError):  # another system's C library
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        initialize.argtypes = (ctypes.c_uint, ctypes.c_uint)
        self._mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)
        # O_NONBLOCK: the kernel opens what was opened once more, and must not wait for the writer of a pipe
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        self.handle = _checked(initialize(_CLOEXEC | _NONBLOCK, flags))

    def mark(self, path: str) -> None:
        """Has every opening of a file that lies in the file system of `path` reported, by whichever mount. Raises
        OSError."""
        _checked(self._mark(self.handle, _ADD | _FILESYSTEM, OPENED | EXECUTED, _NO_DIRECTORY, os.fsencode(path)))

    def wait(self, seconds: float, table: int | None = None) -> None:
        """Until there is an event, or that long; or until the mounts change, of which `table` is an open mountinfo."""
        select.select([self.handle], [], [table] if table is not None else [], seconds)

    def events(self) -> Iterator[OpenEvent]:
        """What is in the queue. Raises OSError where an event is lost, for want of descriptors for one; the next call
        goes on behind it."""
        while True:
            try:
                data = os.read(self.handle, _AT_ONCE * _METADATA.size)
            except BlockingIOError:
                return
            yield from parse_events(data)

    def close(self) -> None:
        os.close(self.handle)


def parse_events(data: bytes) -> Iterator[OpenEvent]:
    """The events that one read gave; their descriptors are closed. Raises OSError for those of an unknown version."""
    rows: list[tuple[int, int, int]] = []
    at = 0
    while at + _METADATA.size <= len(data):
        length, version, _, _, mask, descriptor, pid = _METADATA.unpack_from(data, at)
        if version != _VERSION or length < _METADATA.size:
            raise OSError(errno.EINVAL, f"events of fanotify have version {version}")
        rows.append((mask, descriptor, pid))
        at += length
    for mask, descriptor, pid in rows:
        path = ""
        if descriptor >= 0:
            try:
                path = os.readlink(f"/proc/self/fd/{descriptor}")
            finally:
                os.close(descriptor)
        yield OpenEvent(mask, pid, path)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
