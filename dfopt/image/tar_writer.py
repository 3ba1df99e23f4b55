"""Writes entries of layers as a gzip-compressed tar that `ADD` extracts: names cleaned, owners by number, capabilities
and other extended attributes as PAX records. The same entries give the same bytes.

Source: POSIX.1-2017 pax, and the `SCHILY.xattr.` records of star, which Docker and BuildKit write and read.
"""

from __future__ import annotations

import gzip
import tarfile

from dfopt.image.layers import BLOCK_DEVICE, CHARACTER, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK
from dfopt.image.tar_member import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from dfopt.image.layers import LayerEntry

_TYPES = {
    FILE: tarfile.REGTYPE, HARDLINK: tarfile.LNKTYPE, SYMLINK: tarfile.SYMTYPE, CHARACTER: tarfile.CHRTYPE,
    BLOCK_DEVICE: tarfile.BLKTYPE, DIRECTORY: tarfile.DIRTYPE, FIFO: tarfile.FIFOTYPE,
}  # fmt: skip
_XATTR = "SCHILY.xattr."


class LayerWriter:
    """Writes to `file`, which stays the caller's to close. The content of a file follows its `add`, in pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self._gzip = gzip.GzipFile("", "wb", 3, file, mtime=0)
        self._missing = 0  # bytes of content that the last header announced and that have not come
        self._padding = 0

    def add(self, path: str, entry: LayerEntry, link: str = "") -> None:
        """The header of an entry at an absolute `path`. link: the absolute target of a hard link, which makes it one;
        times are kept to the second."""
        self._end_content()
        info = tarfile.TarInfo(path[1:])
        info.type = tarfile.LNKTYPE if link else _TYPES[entry.kind]
        info.linkname = link[1:] if link else entry.link if entry.kind == SYMLINK else ""
        info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.uid, entry.gid, int(entry.mtime)
        info.devmajor, info.devminor = entry.device
        if not link:
            attributes = entry.xattrs or {}
            info.pax_headers = {
                _XATTR + key: value.decode("utf-8", "surrogateescape") for key, value in attributes.items()
            }
            if entry.kind == FILE:
                info.size = self._missing = entry.size
                self._padding = -entry.size % BLOCK
        self._gzip.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def write(self, piece: memoryview) -> None:
        """A piece of the content of the file added last."""
        self._gzip.write(piece)
        self._missing -= len(piece)

    def close(self) -> None:
        self._end_content()
        self._gzip.write(bytes(2 * BLOCK))
        self._gzip.close()

    def _end_content(self) -> None:
        if self._missing:
            raise ValueError(f"{self._missing} bytes of content are missing")
        if self._padding:
            self._gzip.write(bytes(self._padding))
            self._padding = 0


def is_writable_attribute(name: str) -> bool:
    """Whether a PAX record can hold an extended attribute of that name."""
    return bool(name) and "=" not in name and "\0" not in name and name.isprintable()
