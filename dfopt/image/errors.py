"""The one error of `dfopt.image`, and the limits that turn a bomb into an error."""

from __future__ import annotations

from dfopt.messages import printable as printable
from dfopt.record import Record


class ImageError(Exception):
    """An image that is broken, hostile or not understood. The text is one line for the user and names the place."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class ReadLimits(Record):
    """What one image may cost to read. A caller raises a limit; nothing else switches a check off.

    All sizes are bytes. `ratio` (decompressed to compressed) is judged only once a layer has passed `ratio_floor`
    decompressed bytes, because a small file of zeros is honest at 1000 to 1.
    """

    total_bytes: int = 64 << 30  # decompressed, all layers together
    ratio: int = 200
    ratio_floor: int = 1 << 30
    entries: int = 2_000_000  # tar entries, all layers together
    names_bytes: int = 1 << 30  # paths, link targets and attributes, all layers together
    layers: int = 1000
    path_bytes: int = 4096  # one path or link target: Linux's PATH_MAX
    header_bytes: int = 1 << 20  # one PAX or GNU extension header
    metadata_bytes: int = 16 << 20  # one JSON document; four times that for all of an archive
    archive_bytes: int = 32 << 30  # an archive that is compressed as a whole, or comes through a pipe, decompressed
    members: int = 20_000  # tar entries of the archive around the layers
    manifests: int = 1000  # manifests and indexes looked at in one archive


class Budget:
    """What is left of the limits while one image is read: `spend_bytes` and `spend_entry` raise when it is gone."""

    __slots__ = ("bytes", "entries", "limits", "names")

    def __init__(self, limits: ReadLimits) -> None:
        self.limits = limits
        self.bytes = limits.total_bytes
        self.entries = limits.entries
        self.names = limits.names_bytes

    def spend_bytes(self, count: int, where: str) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise ImageError(f"{where}: more than {self.limits.total_bytes} bytes after decompression (limit)")

    def spend_entry(self, where: str, names: int) -> None:
        """One tar entry whose names and attributes take so many characters or bytes."""
        self.entries -= 1
        self.names -= names
        if self.names < 0:
            raise ImageError(f"{where}: names of more than {self.limits.names_bytes} bytes in all layers (limit)")
        if self.entries < 0:
            raise ImageError(f"{where}: more than {self.limits.entries} entries in all layers (limit)")
