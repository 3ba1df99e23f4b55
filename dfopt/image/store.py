"""Named blobs of an image archive: a directory, or the members of a tar, opened one at a time and never unpacked.

Names come from files that somebody else wrote. A name that climbs, is absolute, or is a link that leads outside,
nowhere or in a circle is an ImageError; so is anything that is not a regular file.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from contextlib import closing

from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.tar import TarReader
from dfopt.image.tar_member import BLOCK
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Protocol

    from dfopt.image.layer_stream import BlobStream
    from dfopt.image.tar_member import Sink

    class BlobStore(Protocol):
        """What the readers of the archive formats ask for. `size` is the stored size of a blob in bytes."""

        label: str

        def __contains__(self, name: str) -> bool: ...
        def size(self, name: str) -> int: ...
        def open(self, name: str) -> BlobStream: ...
        def close(self) -> None: ...


_MAX_LINKS = 40  # as the Linux kernel allows while it resolves one path


class Documents:
    """Reads the JSON documents of one archive whole, as long as they are of the size of documents, each and all."""

    def __init__(self, limits: ReadLimits) -> None:
        self.limits = limits
        self.remaining = 4 * limits.metadata_bytes

    def read(self, store: BlobStore, name: str) -> bytes:
        """All bytes of a blob; ImageError when that is more than a document can have."""
        most = self.limits.metadata_bytes
        size = store.size(name)
        if size > most:
            raise ImageError(f"{store.label}: {name}: {size} bytes are too many for a JSON document (limit)")
        pieces, length = [], 0
        try:
            with closing(store.open(name)) as reader:
                while piece := reader.read(most + 1 - length):
                    pieces.append(piece)
                    length += len(piece)
        except OSError as error:
            raise ImageError(f"{store.label}: {name}: {error}") from None
        self.remaining -= length
        if length > most or self.remaining < 0:
            raise ImageError(f"{store.label}: {name}: too many bytes of JSON documents (limit)")
        return b"".join(pieces)


def split_name(name: str, label: str) -> list[str]:
    """The parts of a relative name; `.` and empty parts are dropped, tricks are errors."""
    if name.startswith("/"):
        raise ImageError(f"{label}: an absolute path: {name!r}")
    parts = [part for part in name.split("/") if part and part != "."]
    if ".." in parts or "\0" in name or not parts:
        raise ImageError(f"{label}: not a path inside the archive: {name!r}")
    return parts


class DirectoryStore:
    """The files below a directory. Links may point anywhere inside it, never out of it."""

    def __init__(self, root: str) -> None:
        self.label = root
        self.root = os.path.realpath(root)

    def __contains__(self, name: str) -> bool:
        return os.path.lexists(os.path.join(self.root, *split_name(name, self.label)))

    def size(self, name: str) -> int:
        reader = self.open(name)
        try:
            return os.fstat(reader.fileno()).st_size
        finally:
            reader.close()

    def open(self, name: str) -> BinaryIO:
        path = os.path.join(self.root, *split_name(name, self.label))
        real = os.path.realpath(path)
        if not real.startswith(self.root.rstrip(os.sep) + os.sep):
            raise ImageError(f"{self.label}: {name}: a link that leads out of the directory")
        try:
            # Not blocking: a fifo would hold the open for ever. No link in the last place: it was resolved above.
            descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ImageError(f"{self.label}: {name}: links in a circle") from None
            if error.errno == errno.ENOENT and os.path.islink(path):
                raise ImageError(f"{self.label}: {name}: a link to nowhere") from None
            raise ImageError(f"{self.label}: {name}: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ImageError(f"{self.label}: {name}: not a regular file")
        return os.fdopen(descriptor, "rb", buffering=0)

    def close(self) -> None:
        pass


class TarMember(Record):
    """Where a member of the archive lies. flag: the tar type character; link: the target of a link, as written."""

    flag: str
    offset: int
    size: int
    link: str


class TarStore:
    """The members of a seekable tar; only headers are read in advance. Of two members of one name the last counts."""

    def __init__(self, file: BinaryIO, label: str, limits: ReadLimits) -> None:
        self.file = file
        self.label = label
        self.lock = threading.Lock()
        self.members: dict[str, TarMember] = {}
        source = SeekSource(file)
        for count, member in enumerate(TarReader(source, label, limits)):
            if count >= limits.members:
                raise ImageError(f"{label}: more than {limits.members} files in the archive (limit)")
            if len(member.name) > limits.path_bytes:
                raise ImageError(f"{label}: a path of more than {limits.path_bytes} bytes in the archive")
            if member.name.startswith("/"):
                raise ImageError(f"{label}: an absolute path in the archive: {member.name!r}")
            parts = [part for part in member.name.split("/") if part and part != "."]
            if ".." in parts:
                raise ImageError(f"{label}: a path that climbs with '..' in the archive: {member.name!r}")
            if parts and member.flag != "5":
                self.members["/".join(parts)] = TarMember(member.flag, source.tell(), member.stored, member.link)

    def __contains__(self, name: str) -> bool:
        return "/".join(split_name(name, self.label)) in self.members

    def size(self, name: str) -> int:
        return self._find(name).size

    def open(self, name: str) -> BlobStream:
        member = self._find(name)
        return Section(self, member.offset, member.size)

    def close(self) -> None:
        self.file.close()

    def _find(self, name: str) -> TarMember:
        """The regular member behind a name, through links between members (old `docker save` shares layers so)."""
        parts = split_name(name, self.label)
        for _ in range(_MAX_LINKS):
            member = self.members.get("/".join(parts))
            if member is None:
                raise ImageError(f"{self.label}: {name}: not in the archive")
            if member.flag in "07":
                return member
            if member.flag == "1":
                parts = split_name(member.link, f"{self.label}: {name}")
            elif member.flag == "2":
                parts = self._follow(parts[:-1], member.link, name)
            else:
                raise ImageError(f"{self.label}: {name}: not a regular file in the archive")
        raise ImageError(f"{self.label}: {name}: links in a circle")

    def _follow(self, base: list[str], target: str, name: str) -> list[str]:
        parts = list(base)
        for part in target.split("/"):
            if part == "..":
                if not parts:
                    raise ImageError(f"{self.label}: {name}: a link that leads out of the archive: {target!r}")
                parts.pop()
            elif part and part != ".":
                parts.append(part)
        if target.startswith("/") or not parts:
            raise ImageError(f"{self.label}: {name}: a link that leads out of the archive: {target!r}")
        if "/".join(parts) not in self.members:
            raise ImageError(f"{self.label}: {name}: a link to nowhere: {target!r}")
        return parts


class SeekSource:
    """Tar bytes from a seekable file: content is passed over by seeking, never by reading."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = io.BufferedReader(Borrowed(file), 4 * BLOCK)
        self.position = 0
        self.end = file.seek(0, os.SEEK_END)
        self.file.seek(0)

    def tell(self) -> int:
        return self.position

    def take(self, count: int) -> bytes:
        data = self.file.read(min(count, max(0, self.end - self.position)))
        self.position += len(data)
        return data

    def pass_on(self, count: int, sink: Sink | None) -> int:
        if sink is not None:
            raise NotImplementedError("content is read through TarStore.open")
        missing = max(0, self.position + count - self.end)
        self.position += count - missing
        if count:
            self.file.seek(self.position)
        return missing


class Borrowed(io.RawIOBase):
    """A file that belongs to somebody else: to close this leaves it open."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


class Section:
    """The bytes of one member; several sections of a file may be read in turn, from several threads too."""

    def __init__(self, store: TarStore, offset: int, size: int) -> None:
        self.store = store
        self.position = offset
        self.end = offset + size

    def read(self, size: int = -1) -> bytes:
        remaining = self.end - self.position
        with self.store.lock:
            self.store.file.seek(self.position)
            data = self.store.file.read(remaining if size < 0 else min(size, remaining))
        self.position += len(data)
        return data

    def close(self) -> None:
        pass
