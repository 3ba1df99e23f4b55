"""The entries of layers, read once from a stream: path, type, mode, owner, size, link, attributes, content hash.

Nothing is ever written to disk: a path that would escape is an error because the archive lies, not because it could
do harm here. Rules of whiteouts: OCI image specification, layer.md. Rules of names: a leading `/` or `./` means the
root of the image (some builders write it, all engines read it so); a `..` has no honest use and is an error.
"""

from __future__ import annotations

import hashlib
from contextlib import closing

from dfopt.image import sparse
from dfopt.image.errors import Budget, ImageError, ReadLimits
from dfopt.image.layer_stream import LayerStream
from dfopt.image.tar import ChunkSource, TarReader
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.image.layer_stream import BlobStream
    from dfopt.image.model import Image, Layer
    from dfopt.image.tar_member import Member, Sink

    # Asked for each regular file with content; returns where its bytes are to go, or None.
    Visit = Callable[["LayerEntry"], "Sink | None"]

FILE, DIRECTORY, SYMLINK, HARDLINK = "file", "directory", "symlink", "hardlink"
CHARACTER, BLOCK_DEVICE, FIFO = "character device", "block device", "fifo"
WHITEOUT, OPAQUE, AUFS = "whiteout", "opaque", "aufs metadata"

_KINDS = {
    "0": FILE, "7": FILE, "S": FILE, "1": HARDLINK, "2": SYMLINK, "3": CHARACTER, "4": BLOCK_DEVICE, "5": DIRECTORY,
    "6": FIFO,
}  # fmt: skip
_EMPTY = hashlib.sha256().digest()
_DEVICES = frozenset((CHARACTER, BLOCK_DEVICE))
_NO_DEVICE = (0, 0)


class LayerEntry(Record):
    """One entry of a layer. `path` is absolute in the image, without `.` or double slashes ("/" is the root).

    kind: one of the constants above. mode: permission bits only (07777). size: bytes of a file; for other kinds what
    the header states. link: target of a symlink as written, of a hardlink as an absolute path. For a whiteout `path`
    is what it deletes, for an opaque marker the directory that it empties. sha256: of the content, b"" when not
    computed or when there is none. device: (major, minor). Undecodable bytes in names are surrogate escapes.
    """

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    link: str
    mtime: float
    xattrs: dict[str, bytes] | None
    sha256: bytes
    device: tuple[int, int]


class LayerFiles(Record):
    """A layer that was read to its end and verified. stored: bytes in the archive; unpacked: bytes of the tar."""

    layer: Layer
    entries: tuple[LayerEntry, ...]
    stored: int
    unpacked: int
    compression: str


class ImageContents(Record):
    """An image with all its layers' entries, lowest layer first."""

    image: Image
    layers: tuple[LayerFiles, ...]


def read_image(
    image: Image, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
) -> ImageContents:
    """Reads every layer once. Raises ImageError at the first thing that is broken, hostile or over a limit.

    hashes=False leaves `sha256` empty (quicker, but metadata-only changes and duplicates cannot be detected then).
    `visit` sees each regular file that has content and may return a function that is then given its bytes.
    """
    budget = Budget(limits or ReadLimits())
    if len(image.layers) > budget.limits.layers:
        raise ImageError(f"{image.name}: {len(image.layers)} layers (limit {budget.limits.layers})")
    done: dict[tuple[str, str], LayerFiles] = {}
    layers: list[LayerFiles] = []
    for layer in image.layers:
        key = (layer.digest, layer.diff_id)
        twin = done.get(key) if layer.digest and layer.diff_id and visit is None else None
        if twin is not None:  # the same layer again (common for empty ones): verified already
            for _ in twin.entries:
                budget.spend_entry(layer.where(), 0)
            layers.append(LayerFiles(layer, twin.entries, twin.stored, twin.unpacked, twin.compression))
            continue
        layers.append(read_layer(layer, budget, hashes=hashes, visit=visit))
        done[key] = layers[-1]
    return ImageContents(image, tuple(layers))


def read_layer(layer: Layer, budget: Budget, *, hashes: bool = True, visit: Visit | None = None) -> LayerFiles:
    """All entries of one layer, in the order of the tar; its digests and its size are verified."""
    with closing(layer.open()) as raw:
        stream = _stream(layer, raw, budget)
        entries = tuple(entries_of(stream, hashes, visit))
    return LayerFiles(layer, entries, stream.stored, stream.unpacked, stream.kind)


def iter_entries(
    layer: Layer, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
) -> Iterator[LayerEntry]:
    """The entries one by one, without keeping them, each after its content; a wrong digest is raised after the last."""
    with closing(layer.open()) as raw:
        yield from entries_of(_stream(layer, raw, Budget(limits or ReadLimits())), hashes, visit)


def _stream(layer: Layer, raw: BlobStream, budget: Budget) -> LayerStream:
    return LayerStream(raw, layer.where(), budget, digest=layer.digest, diff_id=layer.diff_id, size=layer.size)


def entries_of(stream: LayerStream, hashes: bool, visit: Visit | None) -> Iterator[LayerEntry]:
    """The entries of a layer in the order of its tar; the stream is read to its end."""
    where, budget = stream.where, stream.budget
    with closing(iter(stream)) as chunks:
        source = ChunkSource(chunks)
        reader = TarReader(source, where, budget.limits)
        for member in reader:
            budget.spend_entry(where, _name_bytes(member))
            entry = entry_of(member, where, budget.limits)
            if entry.kind == FILE:
                sink = visit(entry) if visit is not None and entry.size else None
                if hashes or sink is not None:
                    entry = _with_content(reader, member, entry, budget, hashes, sink)
            yield entry
        source.drain()


def _with_content(
    reader: TarReader, member: Member, entry: LayerEntry, budget: Budget, hashes: bool, sink: Sink | None
) -> LayerEntry:
    digest = _EMPTY
    if entry.size:
        hasher = hashlib.sha256()
        if sink is None:
            feed: Sink = hasher.update
        elif not hashes:
            feed = sink
        else:
            visitor = sink

            def feed(piece: memoryview) -> None:
                hasher.update(piece)
                visitor(piece)

        if member.sparse is None:
            reader.content(feed)
        else:
            budget.spend_bytes(member.size - member.stored, reader.where)
            sparse.expand(reader, member, feed)
        digest = hasher.digest()
    if hashes:
        # Set in place: the record was made for this call alone and nothing else refers to it.
        entry.sha256 = digest  # type: ignore[misc]
    return entry


def _name_bytes(member: Member) -> int:
    count = len(member.name) + len(member.link)
    if member.xattrs is not None:
        count += sum(len(key) + len(value) for key, value in member.xattrs.items())
    return count


def entry_of(member: Member, where: str, limits: ReadLimits) -> LayerEntry:
    """The entry of a tar member, its names made absolute; ImageError for names that no honest layer has."""
    path = clean_path(member.name, where, limits)
    kind = _KINDS[member.flag]
    link = member.link
    if kind == HARDLINK:
        link = clean_path(link, where, limits)
        if link == "/":
            raise ImageError(f"{where}: {path}: hardlink without a target")
    elif kind == SYMLINK and (not link or len(link) > limits.path_bytes):
        raise ImageError(f"{where}: {path}: symbolic link with {'no' if not link else 'an over-long'} target")
    if path == "/" and kind != DIRECTORY:
        raise ImageError(f"{where}: the root of the image as a {kind}")
    if "/.wh." in path:
        path, kind = _whiteout(path, kind, where)
    return LayerEntry(
        path, kind, member.mode & 0o7777, member.uid, member.gid, member.size, link, member.mtime, member.xattrs,
        b"", (member.major, member.minor) if kind in _DEVICES else _NO_DEVICE,
    )  # fmt: skip


def clean_path(name: str, where: str, limits: ReadLimits) -> str:
    length = len(name) if name.isascii() else len(name.encode("utf-8", "surrogateescape"))
    if length > limits.path_bytes:
        raise ImageError(f"{where}: a path of more than {limits.path_bytes} bytes: {name[:60]!r}...")
    if name and name[0] not in "./" and "/." not in name and "//" not in name:  # as nearly all are written
        return f"/{name.removesuffix('/')}"
    parts = [part for part in name.split("/") if part and part != "."]
    if ".." in parts:
        raise ImageError(f"{where}: a path that climbs with '..': {name!r}")
    if not name:
        raise ImageError(f"{where}: an entry without a name")
    return "/" + "/".join(parts)


def _whiteout(path: str, kind: str, where: str) -> tuple[str, str]:
    """What the `.wh.` name means. Names that begin with `.wh..wh.` belong to aufs, but for the opaque marker."""
    parent, _, name = path.rpartition("/")
    if "/.wh..wh." in parent or (name.startswith(".wh..wh.") and name != ".wh..wh..opq"):
        return path, AUFS
    if "/.wh." in parent or (kind == DIRECTORY and name.startswith(".wh.")):
        raise ImageError(f"{where}: a whiteout used as a directory: {path}")
    if name == ".wh..wh..opq":
        return parent or "/", OPAQUE
    if not name.startswith(".wh."):
        return path, kind
    target = name[4:]
    if target in ("", ".", ".."):
        raise ImageError(f"{where}: a whiteout of nothing: {path}")
    return f"{parent}/{target}", WHITEOUT
