"""The one error of `dfopt.image`, and the limits that turn a bomb into an error."""

from __future__ import annotations

from dfopt.record import Record


class ImageError(Exception):
    """An image that is broken, hostile or not understood. The text is one line for the user and names the place."""


class Limits(Record):
    """What one image may cost to read. A caller raises a limit; nothing else switches a check off.

    All sizes are bytes. `ratio` (decompressed to compressed) is judged only once a layer has passed `ratio_floor`
    decompressed bytes, because a small file of zeros is honest at 1000 to 1.
    """

    total_bytes: int = 64 << 30  # decompressed, all layers together
    ratio: int = 200
    ratio_floor: int = 1 << 30
    entries: int = 2_000_000  # tar entries, all layers together
    layers: int = 1000
    path_bytes: int = 4096  # one path or link target: Linux's PATH_MAX
    header_bytes: int = 1 << 20  # one PAX or GNU extension header
    metadata_bytes: int = 16 << 20  # one JSON document
    archive_bytes: int = 32 << 30  # an archive that is compressed as a whole, or comes through a pipe, decompressed
    members: int = 200_000  # tar entries of the archive around the layers
    manifests: int = 1000  # manifests and indexes looked at in one archive


class Budget:
    """What is left of the limits while one image is read: `spend_bytes` and `spend_entry` raise when it is gone."""

    __slots__ = ("bytes", "entries", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = limits.total_bytes
        self.entries = limits.entries

    def spend_bytes(self, count: int, where: str) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise ImageError(f"{where}: more than {self.limits.total_bytes} bytes after decompression (limit)")

    def spend_entry(self, where: str) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise ImageError(f"{where}: more than {self.limits.entries} entries in all layers (limit)")
