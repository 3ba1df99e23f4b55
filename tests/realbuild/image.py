"""What is in an image: the files of its live filesystem and its configuration, read from `docker save` output.

Layers are applied as the OCI image specification says (image-spec, "Image Layer Filesystem Changeset"): a layer's
whiteouts hide what lower layers brought, never what the layer itself brings, and in whatever order its tar lists them.
Nothing is extracted. Real layers are checked against `umoci unpack` in test_engine.py.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dfopt.record import Record

from .stable import stable_digest

_CHUNK = 1 << 20
_STABLE_LIMIT = 64 << 20  # bytes: only files up to this size are read whole to mask what no build repeats


# Lowest layers by blob name, newest last: most images stand on one of few bases, and a base is most of their bytes.
_BASES: dict[str, Layer] = {}
_BASES_KEPT = 6


class ImageError(Exception):
    """An archive that is no image, or whose layers break the rules of the format; the message names the place."""


class FileFacts(Record):
    """One path of the live filesystem. `mode` holds permission, setuid, setgid and sticky bits; `size` is in bytes.

    `kind`: file, dir, symlink, fifo, char, block. A hardlink is a `file` with the content of what it links to.
    `target`: a symlink's text, a device's "major:minor", else "".
    `stable`: None, or a digest of the content without what differs from build to build (see stable.py).
    """

    kind: str
    mode: int
    uid: int
    gid: int
    size: int = 0
    sha256: str = ""
    target: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()
    stable: str | None = None


class ImageFacts(Record):
    """`files`: absolute path -> facts; `config`: the image's configuration; `layers`: diff ids, lowest first."""

    id: str
    files: dict[str, FileFacts]
    config: dict[str, Any]
    layers: tuple[str, ...]


class Layer(Record):
    """One layer's changes: entries as (path, facts, path that it is a hardlink to or ""), in the tar's order."""

    entries: tuple[tuple[str, FileFacts, str], ...]
    whiteouts: frozenset[str]
    opaque: frozenset[str]


_KINDS = {
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
}
_XATTR = "SCHILY.xattr."


def _absolute(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ImageError(f"layer entry {name!r} climbs out of the image")
    return "/" + "/".join(parts)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _facts(member: tarfile.TarInfo, path: str, layer: tarfile.TarFile) -> FileFacts:
    xattrs = tuple(
        sorted((key[len(_XATTR) :], value) for key, value in member.pax_headers.items() if key.startswith(_XATTR))
    )
    mode = member.mode & 0o7777
    if member.isreg():
        body = layer.extractfile(member)
        assert body is not None  # a regular member always has one
        digest = hashlib.sha256()
        whole = bytearray()
        while chunk := body.read(_CHUNK):
            digest.update(chunk)
            if member.size <= _STABLE_LIMIT:
                whole += chunk
        stable = stable_digest(path, bytes(whole)) if member.size <= _STABLE_LIMIT else None
        return FileFacts("file", mode, member.uid, member.gid, member.size, digest.hexdigest(), "", xattrs, stable)
    kind = _KINDS.get(member.type)
    if kind is None:
        raise ImageError(f"layer entry {path!r} has the unknown type {member.type!r}")
    target = ""
    if kind == "symlink":
        target, mode = member.linkname, 0o777  # Linux knows no other mode for a symlink
    elif kind in ("char", "block"):
        target = f"{member.devmajor}:{member.devminor}"
    return FileFacts(kind, mode, member.uid, member.gid, 0, "", target, xattrs)


def read_layer(stream: IO[bytes]) -> Layer:
    """The changes of one layer's tar, plain or gzip-compressed. Raises ImageError when it is broken."""
    entries: list[tuple[str, FileFacts, str]] = []
    whiteouts: set[str] = set()
    opaque: set[str] = set()
    try:
        with tarfile.open(fileobj=stream, mode="r:*", errors="surrogateescape") as layer:
            for member in layer:
                path = _absolute(member.name)
                name = path.rpartition("/")[2]
                if name == ".wh..wh..opq":
                    opaque.add(_parent(path))
                elif name.startswith(".wh."):
                    whiteouts.add(_absolute(f"{_parent(path)}/{name[4:]}"))
                elif member.islnk():
                    entries.append((path, FileFacts("file", 0, 0, 0), _absolute(member.linkname)))
                else:
                    entries.append((path, _facts(member, path, layer), ""))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ImageError(f"a layer cannot be read: {error}") from error
    return Layer(tuple(entries), frozenset(whiteouts), frozenset(opaque))


def apply_layer(files: dict[str, FileFacts], layer: Layer) -> dict[str, FileFacts]:
    """The filesystem after `layer`, on top of `files`, which is left as it is."""
    if layer.whiteouts or layer.opaque:
        files = {path: facts for path, facts in files.items() if not _hidden(path, layer)}
    else:
        files = dict(files)
    for path, facts, link in layer.entries:
        if link:
            if link not in files or files[link].kind == "dir":
                raise ImageError(f"{path!r} is a hardlink to {link!r}, which is no file of the image")
            facts = files[link]
        before = files.get(path)
        if before is not None and before.kind == "dir" and facts.kind != "dir":
            files = {known: kept for known, kept in files.items() if not known.startswith(path + "/")}
        _make_parents(files, path)
        files[path] = facts
    return files


def _hidden(path: str, layer: Layer) -> bool:
    """Is `path`, of a lower layer, hidden by a whiteout of itself or of a parent, or by an opaque parent?"""
    if path in layer.whiteouts:
        return True
    while path != "/":
        path = _parent(path)
        if path in layer.whiteouts or path in layer.opaque:
            return True
    return False


def _make_parents(files: dict[str, FileFacts], path: str) -> None:
    """Directories that a layer leaves unnamed are root's, with mode 0755, as engines make them."""
    while path != "/":
        path = _parent(path)
        known = files.get(path)
        if known is None:
            files[path] = FileFacts("dir", 0o755, 0, 0)
        elif known.kind != "dir":
            raise ImageError(f"a layer puts an entry below {path!r}, which is a {known.kind}")
        else:
            return


def _remember_base(name: str, layer: Layer) -> None:
    if name.startswith("blobs/sha256/"):  # in this layout the name is the content's digest
        _BASES[name] = _BASES.pop(name, layer)
        if len(_BASES) > _BASES_KEPT:
            del _BASES[next(iter(_BASES))]


def images_of(archive: Path) -> Iterator[ImageFacts]:
    """The images of one `docker save` archive, in its order. A layer that several share is read once."""
    try:
        with tarfile.open(archive, mode="r:", errors="surrogateescape") as tar:
            members = {member.name: member for member in tar}

            def blob(name: str) -> IO[bytes]:
                member = members[name]
                while member.issym():
                    member = members[_absolute(f"{_parent('/' + member.name)}/{member.linkname}")[1:]]
                body = tar.extractfile(member)
                if body is None:
                    raise ImageError(f"{archive}: {name} is not a file")
                return body

            layers: dict[str, Layer] = {}
            for image in json.load(blob("manifest.json")):
                config = json.load(blob(image["Config"]))
                diff_ids = config["rootfs"]["diff_ids"]
                if len(diff_ids) != len(image["Layers"]):
                    raise ImageError(
                        f"{archive}: {len(diff_ids)} layers by configuration, {len(image['Layers'])} by manifest"
                    )
                files = {"/": FileFacts("dir", 0o755, 0, 0)}
                for name in image["Layers"]:
                    if name not in layers:
                        layers[name] = _BASES.get(name) or read_layer(blob(name))
                    files = apply_layer(files, layers[name])
                for name in image["Layers"][:1]:
                    _remember_base(name, layers[name])
                digest = image["Config"].rpartition("/")[2].removesuffix(".json")
                yield ImageFacts(f"sha256:{digest}", files, config, tuple(diff_ids))
    except (tarfile.TarError, EOFError, OSError, KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{archive}: not an image archive: {type(error).__name__}: {error}") from error


def image_facts(archive: Path) -> ImageFacts:
    """The facts of the only image in `archive`. Raises ImageError when it holds none or several."""
    images = list(images_of(archive))
    if len(images) != 1:
        raise ImageError(f"{archive}: holds {len(images)} images, not one")
    return images[0]
