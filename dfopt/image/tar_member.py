"""A member of a tar stream, and the reading of its fields and content from the stream."""

from __future__ import annotations

from dfopt.image.errors import ImageError, ReadLimits
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    Sink = Callable[[memoryview], object]

    class TarSource(Protocol):
        """Where tar bytes come from. `take` returns fewer bytes than asked only at the end of the data."""

        def take(self, count: int, /) -> bytes: ...
        def pass_on(self, count: int, sink: Sink | None, /) -> int: ...


BLOCK = 512


class Member(Record):
    """One tar entry as it is written: `flag` is the type character, `stored` the bytes of content that follow.

    `size` is the size that the file will have (differs from `stored` for sparse files); `sparse` holds its data
    segments as (offset, length) pairs, or None.
    """

    name: str
    flag: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: float
    link: str
    major: int
    minor: int
    stored: int
    xattrs: dict[str, bytes] | None
    sparse: list[tuple[int, int]] | None


class MemberReader:
    """Reads what belongs to one member of a tar stream. `where` names the stream in errors."""

    def __init__(self, source: TarSource, where: str, limits: ReadLimits) -> None:
        self.source = source
        self.where = where
        self.limits = limits
        self.remaining = 0  # content of the current member not yet read
        self.padding = 0
        self.count = 0  # blocks of the stream that were headers
        self.numbers: dict[bytes, int] = {}  # numbers of header fields

    def take(self, count: int) -> bytes:
        data = self.source.take(count)
        if len(data) < count:
            raise ImageError(f"{self.where}: truncated tar")
        self.remaining -= count
        return data

    def string(self, raw: bytes) -> str:
        if b"\0" in raw:
            raise ImageError(f"{self.where}: a NUL byte in the PAX record of a path")
        return decode(raw)

    def number(self, field: bytes, signed: bool = False) -> int:
        """Octal text, or a base-256 number marked by the top bit (GNU); negative numbers only for times."""
        if field[0] & 0x80:
            value = int.from_bytes(field, "big") - (1 << (8 * len(field) - 1))
            if field[0] & 0x40:
                value -= 1 << (8 * len(field) - 1)
            if value < 0 and not signed:
                raise ImageError(f"{self.where}: corrupt tar header (negative number)")
            return value
        digits = field.strip(b" \0").partition(b"\0")[0]
        if not digits:
            return 0
        try:
            if not digits.isdigit():
                raise ValueError
            return int(digits, 8)
        except ValueError:
            raise ImageError(
                f"{self.where}: corrupt tar header (number)" if self.count else f"{self.where}: not a tar archive"
            ) from None


def decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
