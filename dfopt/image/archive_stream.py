"""Reads an image from an archive that comes through a pipe, once, as it comes: nothing is stored anywhere.

`docker save` and its kin send layers before the document that lists them. So each member that is a layer is read into
its entries when it passes, whatever it will turn out to be; when the archive has ended, the manifest tells which layers
make the image, and the digests that were computed on the way tell whether they are the right ones.
"""

from __future__ import annotations

import io

from dfopt.image.docker_archive import archive_choices
from dfopt.image.errors import Budget, ImageError, ReadLimits
from dfopt.image.layer_stream import CHUNK, GZIP, ZSTD, LayerStream, compression
from dfopt.image.layers import ImageContents, LayerFiles, entries_of
from dfopt.image.oci import layout_choices
from dfopt.image.platform_choice import select
from dfopt.image.store import split_name
from dfopt.image.tar import ChunkSource, TarReader
from dfopt.image.tar_member import BLOCK
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.layer_stream import BlobStream
    from dfopt.image.layers import LayerEntry, Visit
    from dfopt.image.model import Image, Layer, Platform
    from dfopt.image.tar_member import Member

_USTAR = slice(257, 262)
_MAX_LINKS = 40


class _Passed(Record):
    """A layer read from the stream: its entries, its sizes, and the sha256 of the blob and of the tar."""

    entries: tuple[LayerEntry, ...]
    stored: int
    unpacked: int
    compression: str
    digest: str
    diff_id: str


def read_passing(
    file: BlobStream,
    label: str,
    name: str | None = None,
    platform: str | Platform | None = None,
    limits: ReadLimits | None = None,
    *,
    hashes: bool = True,
    visit: Visit | None = None,
) -> ImageContents:
    """The image of that name in an archive that is read from `file`, which may be a pipe, to its end.

    `visit` sees the files of every layer in the archive, in the order of the archive. Layers of the image that comes
    back cannot be opened again. Raises ImageError as `open_archive` and `read_image` do.
    """
    limits = limits or ReadLimits()
    store = _Seen(label)
    budget = Budget(limits)
    around = Budget(replace(limits, total_bytes=limits.archive_bytes))
    chunks = iter(_Chunks(file, label, around))
    source = ChunkSource(chunks)
    reader = TarReader(source, label, limits)
    for count, member in enumerate(reader):
        if count >= limits.members:
            raise ImageError(f"{label}: more than {limits.members} files in the archive (limit)")
        _take(store, reader, member, budget, hashes, visit)
    source.drain()  # a writer whose pipe is closed early fails, and says so
    return _contents(store, store.image(name, platform, limits))


class _Chunks:
    """The archive's bytes, decompressed where it is compressed as a whole."""

    def __init__(self, file: BlobStream, label: str, budget: Budget) -> None:
        self.file, self.label, self.budget = file, label, budget

    def __iter__(self) -> Iterator[bytes]:
        head = b""
        while len(head) < 6 and (piece := self.file.read(CHUNK)):
            head += piece
        joined = _Joined(head, self.file)
        if compression(head, self.label) != "plain":
            yield from LayerStream(joined, self.label, self.budget)
            return
        try:
            while piece := joined.read(CHUNK):
                self.budget.spend_bytes(len(piece), self.label)
                yield piece
        except OSError as error:
            raise ImageError(f"{self.label}: {error.strerror or error}") from None


class _Joined:
    def __init__(self, head: bytes, file: BlobStream) -> None:
        self.head, self.file = head, file

    def read(self, size: int, /) -> bytes:
        if self.head:
            piece, self.head = self.head[:size], self.head[size:]
            return piece
        return self.file.read(size)

    def close(self) -> None:
        pass


class _Content:
    """What is left of the current member of a tar, to be read by a layer's stream; `head` was read already."""

    def __init__(self, head: bytes, reader: TarReader) -> None:
        self.head, self.reader = head, reader

    def read(self, size: int, /) -> bytes:
        if self.head:
            piece, self.head = self.head[:size], self.head[size:]
            return piece
        return self.reader.take(min(size, self.reader.remaining))

    def close(self) -> None:
        pass


def _take(store: _Seen, reader: TarReader, member: Member, budget: Budget, hashes: bool, visit: Visit | None) -> None:
    """One member of the archive: a document is kept, a layer is read, a link is noted, the rest is passed over."""
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise ImageError(f"{store.label}: a path that leads out of the archive: {member.name!r}")
    parts = [part for part in member.name.split("/") if part and part != "."]
    if not parts or member.flag == "5":
        return
    name = "/".join(parts)
    store.forget(name)
    if member.flag in "12":
        store.links[name] = _target(parts, member, store.label)
        return
    if member.flag not in "07":
        raise ImageError(f"{store.label}: {name}: not a regular file in the archive")
    size = reader.remaining
    head = reader.take(min(size, BLOCK))
    where = f"{store.label}: {name}"
    if head[_USTAR] != b"ustar" and head.lstrip()[:1] in (b"{", b"["):
        if size <= budget.limits.metadata_bytes:  # no document is longer
            store.keep(name, head + reader.take(reader.remaining), budget.limits)
    elif head[_USTAR] == b"ustar" or head.startswith((GZIP, ZSTD)) or (head and not head.strip(b"\0")):
        raw = _Content(head, reader)
        stream = LayerStream(raw, where, budget, digest="sha256:", diff_id="sha256:", size=size)
        entries = tuple(entries_of(stream, hashes, visit))
        store.layers[name] = _Passed(entries, stream.stored, stream.unpacked, stream.kind, *stream.digests)


def _target(parts: list[str], member: Member, label: str) -> str:
    base = parts[:-1] if member.flag == "2" else []
    for part in member.link.split("/"):
        if part == "..":
            if not base:
                raise ImageError(f"{label}: {member.name}: a link that leads out of the archive: {member.link!r}")
            base = base[:-1]
        elif part and part != ".":
            base = [*base, part]
    if member.link.startswith("/") or not base:
        raise ImageError(f"{label}: {member.name}: a link that leads out of the archive: {member.link!r}")
    return "/".join(base)


class _Seen:
    """What the stream held, as a store for the manifest readers: whole documents, and the sizes of layers."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.documents: dict[str, bytes] = {}
        self.layers: dict[str, _Passed] = {}
        self.links: dict[str, str] = {}
        self.kept = 0

    def forget(self, name: str) -> None:
        """Of two members of one name the last counts."""
        for members in (self.documents, self.layers, self.links):
            members.pop(name, None)

    def keep(self, name: str, data: bytes, limits: ReadLimits) -> None:
        self.kept += len(data)
        if self.kept > 4 * limits.metadata_bytes:
            raise ImageError(f"{self.label}: too many bytes of JSON documents (limit)")
        self.documents[name] = data

    def image(self, name: str | None, platform: str | Platform | None, limits: ReadLimits) -> Image:
        if "manifest.json" in self:
            choices = archive_choices(self, limits)
        elif "index.json" in self:
            choices = layout_choices(self, limits)
        else:
            raise ImageError(f"{self.label}: not an image archive (neither index.json nor manifest.json is in it)")
        image = select(choices, name, platform, self.label).load()
        return replace(image, name=name) if name is not None and name in image.names else image

    def _name(self, name: str) -> str:
        key = "/".join(split_name(name, self.label))
        for _ in range(_MAX_LINKS):
            if key not in self.links:
                return key
            key = self.links[key]
        raise ImageError(f"{self.label}: {name}: links in a circle")

    def __contains__(self, name: str) -> bool:
        key = self._name(name)
        return key in self.documents or key in self.layers

    def size(self, name: str) -> int:
        key = self._name(name)
        if key in self.documents:
            return len(self.documents[key])
        if key in self.layers:
            return self.layers[key].stored
        raise ImageError(f"{self.label}: {name}: not in the archive")

    def open(self, name: str) -> BlobStream:
        key = self._name(name)
        if key in self.documents:
            return io.BytesIO(self.documents[key])
        if key in self.layers:
            raise ImageError(f"{self.label}: {name}: went by in a stream and cannot be read again")
        raise ImageError(f"{self.label}: {name}: not in the archive")

    def close(self) -> None:
        pass


def _contents(store: _Seen, image: Image) -> ImageContents:
    by_diff_id = {passed.diff_id: passed for passed in store.layers.values()}
    by_digest = {passed.digest: passed for passed in store.layers.values()}
    return ImageContents(image, tuple(_matched(layer, by_digest, by_diff_id) for layer in image.layers))


def _matched(layer: Layer, by_digest: dict[str, _Passed], by_diff_id: dict[str, _Passed]) -> LayerFiles:
    """The layer that the stream held under this digest; it must match the config."""
    is_digest = layer.digest.startswith("sha256:")
    passed = by_digest.get(layer.digest) if is_digest else by_diff_id.get(layer.diff_id)
    if passed is None or passed.diff_id != layer.diff_id:
        raise ImageError(f"{layer.where()}: no layer in the archive has the digest {layer.digest or layer.diff_id}")
    if 0 <= layer.size != passed.stored:
        raise ImageError(f"{layer.where()}: {passed.stored} bytes stored, its descriptor says {layer.size}")
    return LayerFiles(layer, passed.entries, passed.stored, passed.unpacked, passed.compression)
