"""A strict reader of tar streams: headers, long names, PAX records, sparse files; what is not understood is an error.

Python's `tarfile` ends silently at a header it cannot read, so a corrupt layer would look like a small one; it also
costs several times as much for each entry. Formats: POSIX.1-2017 pax (ustar headers, PAX records), the GNU tar manual
(types L, K and S, base-256 numbers), libarchive's and star's extended attributes. Global PAX headers are read over,
as container engines do.
"""

from __future__ import annotations

import re
import struct
from zlib import adler32

from dfopt.image.errors import ImageError
from dfopt.image.tar_member import BLOCK, Member, MemberReader, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.tar_member import Sink


_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12x")
_ZEROS = bytes(BLOCK)
_MANY = 4096
_HEADER_ONLY = frozenset("123456")  # links, devices, directories and fifos have no content, whatever size they state
_REGULAR = frozenset("07S")
_EXTENSIONS = frozenset("xgLK")
_SECONDS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{0,20})?")
_DIGITS = 20  # of a number in a PAX record
_XATTR = ("SCHILY.xattr.", "LIBARCHIVE.xattr.")


class ChunkSource:
    """A forward-only source over chunks of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.buffer = b""
        self.position = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end <= len(self.buffer):
            piece = self.buffer[self.position : end]
            self.position = end
            return piece
        pieces: list[bytes] = []
        self.pass_on(count, lambda view: pieces.append(bytes(view)))
        return b"".join(pieces)

    def pass_on(self, count: int, sink: Sink | None) -> int:
        """Hands `count` bytes to `sink` in pieces; returns how many were missing (0 when all is well)."""
        end = self.position + count
        if end <= len(self.buffer):  # the usual case, without a loop
            if sink is not None:
                sink(memoryview(self.buffer)[self.position : end])
            self.position = end
            return 0
        while count:
            have = len(self.buffer) - self.position
            if not have:
                self.buffer = next(self.chunks, b"")
                self.position = 0
                if not self.buffer:
                    return count
                continue
            step = min(count, have)
            if sink is not None:
                sink(memoryview(self.buffer)[self.position : self.position + step])
            self.position += step
            count -= step
        return 0

    def drain(self) -> None:
        """Reads to the end, so that digests see every byte."""
        self.buffer, self.position = b"", 0
        for _ in self.chunks:
            pass


class TarReader(MemberReader):
    """Iterate for members; `content` hands out the bytes of the member last returned, once; unread content is skipped.

    The end is two blocks of zeros, or the end of the data where a header would begin (some writers leave the blocks
    out; a layer's digest tells that from a truncated one).
    """

    def __iter__(self) -> Iterator[Member]:
        long_name = long_link = ""
        pax: list[tuple[str, bytes]] = []
        while True:
            self._skip()
            block = self._header_block()
            if block is None:
                if pax or long_name or long_link:
                    raise ImageError(f"{self.where}: truncated tar: an extension header without its entry")
                return
            member = self._parse(block)
            if member.flag not in _EXTENSIONS:
                yield self._complete(member, block, long_name, long_link, pax)
                long_name = long_link = ""
                pax = []
                continue
            if member.stored > self.limits.header_bytes:
                raise ImageError(f"{self.where}: extension header of {member.stored} bytes (limit)")
            data = self.take(member.stored)
            if member.flag == "L":
                long_name = _text(data)
            elif member.flag == "K":
                long_link = _text(data)
            elif member.flag == "x":
                pax = self._records(data)

    def content(self, sink: Sink) -> None:
        """Passes on what is left of the stored content of the current member."""
        if self.source.pass_on(self.remaining, sink):
            raise ImageError(f"{self.where}: truncated tar")
        self.remaining = 0

    def _skip(self) -> None:
        if (self.remaining or self.padding) and self.source.pass_on(self.remaining + self.padding, None):
            raise ImageError(f"{self.where}: truncated tar")
        self.remaining = self.padding = 0

    def _header_block(self) -> bytes | None:
        block = self.source.take(BLOCK)
        if block == _ZEROS:
            second = self.source.take(BLOCK)
            if second and second != _ZEROS[: len(second)]:
                raise ImageError(f"{self.where}: corrupt tar: a header after the first block of the end mark")
            return None
        if len(block) == BLOCK:
            return block
        if block:
            raise ImageError(f"{self.where}: truncated tar" if self.count else f"{self.where}: not a tar archive")
        return None

    def _parse(self, block: bytes) -> Member:
        name, mode, uid, gid, size, mtime, checksum, flag, link, magic, _, _, major, minor, prefix = _FIELDS.unpack(
            block
        )
        number = self.number
        stated = number(checksum)
        if _sum(block) - sum(checksum) + 8 * 32 != stated and _signed_sum(block) != stated:
            raise ImageError(
                f"{self.where}: corrupt tar header (checksum)" if self.count else f"{self.where}: not a tar archive"
            )
        self.count += 1
        kind = flag.decode("latin-1")
        text = _text(name)
        if kind == "\0":
            kind = "5" if text.endswith("/") else "0"
        if prefix[0] and magic[:6] == b"ustar\0":  # GNU keeps other things in the prefix field
            text = f"{_text(prefix)}/{text}"
        length = number(size)
        stored = 0 if kind in _HEADER_ONLY else length
        devices = (number(major), number(minor)) if kind in "34" else (0, 0)
        self._expect(stored)
        numbers = self.numbers
        if len(numbers) > _MANY:
            numbers.clear()
        for field in (mode, uid, gid, mtime):  # few different values: parsed once
            if field not in numbers:
                numbers[field] = number(field, signed=field is mtime)
        return Member(
            text, kind, numbers[mode], numbers[uid], numbers[gid], length, numbers[mtime],
            _text(link) if link[0] else "", *devices, stored, None, None,
        )  # fmt: skip

    def _expect(self, stored: int) -> None:
        self.remaining = stored
        self.padding = -stored % BLOCK

    def _complete(
        self, member: Member, block: bytes, long_name: str, long_link: str, pax: list[tuple[str, bytes]]
    ) -> Member:
        """The entry with what its extension headers say; PAX wins over GNU, and both over the header."""
        if member.flag not in _HEADER_ONLY and member.flag not in _REGULAR:
            raise ImageError(f"{self.where}: tar entry of unsupported type {member.flag!r}: {member.name}")
        if not pax and not long_name and not long_link and member.flag != "S":
            return member
        values: dict[str, object] = {}
        if long_name:
            values["name"] = long_name
        if long_link:
            values["link"] = long_link
        xattrs: dict[str, bytes] = {}
        for key, raw in pax:
            if key == "path":
                values["name"] = self.string(raw)
            elif key == "linkpath":
                values["link"] = self.string(raw)
            elif key in ("size", "uid", "gid"):
                if not raw.isdigit() or len(raw) > _DIGITS:
                    raise ImageError(f"{self.where}: corrupt PAX record {key} of {member.name}")
                values[key] = int(raw)
            elif key == "mtime":
                if not _SECONDS.fullmatch(seconds := _text(raw)):
                    raise ImageError(f"{self.where}: corrupt PAX record mtime of {member.name}")
                values[key] = float(seconds)
            elif key.startswith(_XATTR):
                self._xattr(xattrs, key, raw)
        if xattrs:
            values["xattrs"] = xattrs
        if "size" in values and member.flag not in _HEADER_ONLY:
            values["stored"] = values["size"]
        fields = {field: values.get(field, getattr(member, field)) for field in Member.__fields__}
        member = Member(**fields)  # type: ignore[arg-type]
        self._expect(member.stored)
        if member.flag == "S" or any(key.startswith("GNU.sparse.") for key, _ in pax):
            from dfopt.image import sparse

            return sparse.complete(self, member, block, pax)
        return member

    def _records(self, data: bytes) -> list[tuple[str, bytes]]:
        """PAX records `LENGTH KEY=VALUE\\n`. A value may be empty: the header's own value stands then."""
        records: list[tuple[str, bytes]] = []
        position = 0
        while position < len(data):
            blank = data.find(b" ", position, position + 20)
            digits = data[position:blank]
            end = position + int(digits) if blank > 0 and digits.isdigit() else 0
            equals = data.find(b"=", blank, end)
            if end > len(data) or equals < 0 or data[end - 1] != 10:
                raise ImageError(f"{self.where}: corrupt PAX header")
            if equals + 1 < end - 1:
                records.append((decode(data[blank + 1 : equals]), data[equals + 1 : end - 1]))
            position = end
        return records

    def _xattr(self, attributes: dict[str, bytes], key: str, raw: bytes) -> None:
        """Adds the extended attribute of one record: star's form is raw, libarchive's is URL-quoted and base64."""
        if key.startswith(_XATTR[0]):
            attributes[key[len(_XATTR[0]) :]] = raw
            return
        from base64 import b64decode
        from urllib.parse import unquote

        try:
            value = b64decode(raw + b"=" * (-len(raw) % 4))
        except ValueError:
            raise ImageError(f"{self.where}: corrupt PAX record {key}") from None
        attributes.setdefault(unquote(key[len(_XATTR[1]) :]), value)


def _sum(block: bytes) -> int:
    """The sum of a block's bytes. The lower half of Adler-32 (RFC 1950) is 1 + their sum modulo 65521, which half a
    block cannot reach: many times faster than to add them one by one."""
    half = BLOCK // 2
    return (adler32(block[:half]) & 0xFFFF) + (adler32(block[half:]) & 0xFFFF) - 2


def _signed_sum(block: bytes) -> int:
    """Some old writers summed signed characters."""
    plain = block[:148] + b" " * 8 + block[156:]
    return sum(plain) - 256 * sum(byte > 127 for byte in plain)


def _text(field: bytes) -> str:
    """A header field up to its first NUL."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
