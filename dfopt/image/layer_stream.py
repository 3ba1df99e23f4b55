"""From the stored bytes of a layer to the bytes of its tar: decompression, digests and the bomb limits, streamed.

Compression is told from the first bytes, never from the media type (engines of every age label it wrongly). Sources:
RFC 1952 (gzip, several members in a row), RFC 8878 (zstd, several frames, skippable ones between them), the OCI image
specification (digest of the stored blob; diff_id = digest of the tar).
"""

from __future__ import annotations

import hashlib
import zlib

from dfopt.image.errors import Budget, ImageError
from dfopt.image.read_ahead import read_ahead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any, Protocol

    class BlobStream(Protocol):
        """What a stored blob must offer; `read` may return fewer bytes than asked and b"" only at the end."""

        def read(self, size: int, /) -> bytes: ...
        def close(self) -> None: ...


CHUNK = 1 << 20
_WORTH_A_THREAD = 1 << 19  # stored bytes
_LONGEST_MAGIC = 6
_COMPRESSED_CHUNK = 1 << 17  # small: what zlib leaves over is copied on every call
_UNSUPPORTED = ((b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04", "zip"))
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))  # zstd frames that carry no data


def compression(head: bytes, where: str) -> str:
    """`gzip`, `zstd` or `plain` by the first bytes; ImageError for the formats that images do not use."""
    if head.startswith(GZIP):
        return "gzip"
    if head.startswith(ZSTD) or head.startswith(_SKIPPABLE):
        return "zstd"
    for magic, name in _UNSUPPORTED:
        if head.startswith(magic):
            raise ImageError(f"{where}: {name} compression is not used by images and not supported")
    return "plain"


class Digester:
    """A digest `algorithm:hex` to be met: feed `hasher`, then `check`. Without hex (`sha256:`) it is only computed."""

    __slots__ = ("expected", "hasher")

    def __init__(self, expected: str) -> None:
        self.expected = expected
        self.hasher = hashlib.new(expected.partition(":")[0])

    def check(self, where: str, what: str) -> None:
        actual = self.hasher.hexdigest()
        expected = self.expected.partition(":")[2]
        if expected and actual != expected:
            raise ImageError(f"{where}: {what} does not match: {self.expected} expected, {actual} found")


def _text_of(digester: Digester | None) -> str:
    if digester is None:
        return ""
    return f"{digester.expected.partition(':')[0]}:{digester.hasher.hexdigest()}"


class LayerStream:
    """Iterates the decompressed bytes of one stored blob in chunks of at most 1 MiB and verifies it on the way.

    digest and diff_id are `sha256:hex` (or sha512), or "" where the format has none; size is the stored size or -1.
    Sizes and digests are judged when the last byte has passed: what was read before is to be trusted only then.
    After that, `stored` and `unpacked` hold the byte counts, and `kind` the compression. `sha256:` alone asks for a
    digest that is not known yet: `digests` then holds those of the blob and of the tar.
    """

    def __init__(
        self, raw: BlobStream, where: str, budget: Budget, *, digest: str = "", diff_id: str = "", size: int = -1
    ) -> None:
        self.raw = raw
        self.where = where
        self.budget = budget
        self.digest = digest
        self.diff_id = diff_id
        self.size = size
        self.stored = 0
        self.unpacked = 0
        self.kind = "plain"
        self.digests = ("", "")

    def __iter__(self) -> Generator[bytes, None, None]:
        chunks: Generator[bytes, None, None] = self._verified()
        if not 0 <= self.size < _WORTH_A_THREAD:
            chunks = read_ahead(chunks)
        try:
            for chunk in chunks:
                self.budget.spend_bytes(len(chunk), self.where)
                yield chunk
        finally:
            chunks.close()

    def _verified(self) -> Generator[bytes, None, None]:
        where, limits, blob = self.where, self.budget.limits, Digester(self.digest) if self.digest else None
        head = self._fetch(CHUNK)
        while len(head) < _LONGEST_MAGIC and (more := self._fetch(CHUNK)):
            head += more
        self.kind = compression(head, where)
        content: Iterator[bytes]
        if self.kind == "plain":
            content, twin = self._plain(head, blob), True
        elif self.kind == "gzip":
            content, twin = self._gzip(head, blob), False
        else:
            content, twin = self._zstd(head, blob), False
        # The tar of a plain blob is the blob: one hash serves both digests, when they are of one algorithm.
        tar = None if not self.diff_id or (twin and self.diff_id == self.digest) else Digester(self.diff_id)
        for chunk in content:
            self.unpacked += len(chunk)
            if self.unpacked > limits.ratio_floor and self.unpacked > limits.ratio * self.stored:
                raise ImageError(f"{where}: decompresses to more than {limits.ratio} times its size (limit)")
            if tar is not None:
                tar.hasher.update(chunk)
            yield chunk
        if self.size >= 0 and self.stored != self.size:
            raise ImageError(f"{where}: {self.stored} bytes stored, its descriptor says {self.size}")
        if blob is not None:
            blob.check(where, "digest")
        if tar is not None:
            tar.check(where, "diff_id (digest of the decompressed layer)")
        self.digests = (_text_of(blob), _text_of(tar) or _text_of(blob))

    def _fetch(self, count: int) -> bytes:
        try:
            chunk = self.raw.read(count)
        except OSError as error:
            raise ImageError(f"{self.where}: cannot be read: {error}") from None
        self.stored += len(chunk)
        if 0 <= self.size < self.stored:  # said at once: a remote blob may have no end
            raise ImageError(f"{self.where}: longer than the {self.size} bytes that its descriptor says")
        return chunk

    def _plain(self, chunk: bytes, blob: Digester | None) -> Iterator[bytes]:
        while chunk:
            if blob is not None:
                blob.hasher.update(chunk)
            yield chunk
            chunk = self._fetch(CHUNK)

    def _gzip(self, data: bytes, blob: Digester | None) -> Iterator[bytes]:
        engine = zlib.decompressobj(31)
        while data:
            if blob is not None:
                blob.hasher.update(data)
            while data:
                if engine.eof:  # the next member, or padding of zeros
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    engine = zlib.decompressobj(31)
                try:
                    chunk = engine.decompress(data, CHUNK)
                    data = engine.unused_data if engine.eof else engine.unconsumed_tail
                    while chunk:
                        yield chunk
                        # All input may be taken in while output is still held back.
                        chunk = engine.decompress(b"", CHUNK) if len(chunk) == CHUNK and not data else b""
                except zlib.error as error:
                    raise ImageError(f"{self.where}: corrupt gzip data: {error}") from None
            data = self._fetch(_COMPRESSED_CHUNK)
        if not engine.eof:
            raise ImageError(f"{self.where}: truncated gzip data")

    def _zstd(self, data: bytes, blob: Digester | None) -> Iterator[bytes]:
        engine, problems = _zstd_reader(_Tap(self, data, blob), self.where)
        try:
            while chunk := engine.read(CHUNK):
                yield chunk
        except problems as error:
            raise ImageError(f"{self.where}: corrupt zstd data: {error}") from None


class _Tap:
    """The stored bytes as a file for a decoder that pulls: the first ones already fetched, all of them hashed."""

    def __init__(self, stream: LayerStream, head: bytes, blob: Digester | None) -> None:
        self.stream = stream
        self.head = head
        self.blob = blob

    def read(self, count: int = -1) -> bytes:
        if self.head:
            data, self.head = self.head[:count], self.head[count:]
        else:
            data = self.stream._fetch(count)
        if self.blob is not None:
            self.blob.hasher.update(data)
        return data


def _zstd_reader(source: _Tap, where: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """A reader of bounded memory over zstd frames, and the errors that it raises.

    The library has zstd since Python 3.14; before that the `zstandard` package serves. 128 MiB is the window that
    the zstd program itself accepts without being told to.
    """
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            import zstandard  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise ImageError(f"{where}: compressed with zstd, which needs the Python package zstandard") from None
        file: Any = source  # it needs no more of a file than `read`
        decoder = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        reader = decoder.stream_reader(file, read_size=_COMPRESSED_CHUNK, read_across_frames=True)
        return reader, (zstandard.ZstdError,)
    options = {zstd.DecompressionParameter.window_log_max: 27}
    return zstd.ZstdFile(source, options=options), (zstd.ZstdError, EOFError)
