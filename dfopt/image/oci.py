"""Images of an OCI layout (a directory or a tar of one): index.json, indexes, manifests, configs, each verified.

Sources: OCI image specification (image-layout.md, image-index.md, manifest.md, config.md) and Docker's schema 2, whose
documents differ in media types only. Entries of an index that are attestations (BuildKit's provenance and SBOM) are
no images and are passed over.
"""

from __future__ import annotations

import hashlib

from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.model import (
    Image,
    Layer,
    Platform,
    check_digest,
    diff_ids_of,
    field,
    history_of,
    json_object,
    platform_of,
)
from dfopt.image.store import Documents
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.image.layer_stream import BlobStream
    from dfopt.image.store import BlobStore

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_MAX_DEPTH = 8


class ImageChoice(Record):
    """One image that an archive holds. platform is None where only its config would tell; `load` reads it.

    group numbers the entries of the top document: the images of one group are one image for several platforms.
    """

    names: tuple[str, ...]
    platform: Platform | None
    digest: str
    group: int
    load: Callable[[], Image]


class Blobs:
    """Content by digest: what a layout, an archive or a registry offers; documents are verified here.

    `size(digest)` is the stored size in bytes, or -1 when there is no such blob; `opener(digest)` gives a reader.
    """

    def __init__(
        self, label: str, size: Callable[[str], int], opener: Callable[[str], BlobStream], limits: ReadLimits
    ) -> None:
        self.label = label
        self.size = size
        self.open = opener
        self.limits = limits
        self.documents = Documents(limits)

    def __contains__(self, digest: str) -> bool:
        return self.size(digest) >= 0

    def document(self, digest: str, size: int = -1) -> dict[str, Any]:
        where = f"{self.label}: {digest[:19]}"
        data = self.documents.read(_OneBlob(self, digest), digest[:19])
        if size >= 0 and len(data) != size:
            raise ImageError(f"{where}: {len(data)} bytes, its descriptor says {size}")
        algorithm, _, expected = digest.partition(":")
        actual = hashlib.new(algorithm, data).hexdigest()
        if actual != expected:
            raise ImageError(f"{where}: digest does not match: {actual} found")
        return json_object(data, where)


class _OneBlob:
    """A store of one name, for `Documents`."""

    def __init__(self, blobs: Blobs, digest: str) -> None:
        self.label = blobs.label
        self.blobs = blobs
        self.digest = digest

    def __contains__(self, name: str) -> bool:
        return True

    def size(self, name: str) -> int:
        size = self.blobs.size(self.digest)
        if size < 0:
            raise ImageError(f"{self.label}: blob {self.digest} is missing")
        return size

    def open(self, name: str) -> BlobStream:
        return self.blobs.open(self.digest)

    def close(self) -> None:
        pass


def layout_blobs(store: BlobStore, limits: ReadLimits) -> Blobs:
    """The blobs of a layout: `blobs/<algorithm>/<hex>`."""

    def path(digest: str) -> str:
        return "blobs/" + check_digest(digest, store.label).replace(":", "/", 1)

    return Blobs(
        store.label,
        lambda digest: store.size(path(digest)) if path(digest) in store else -1,
        lambda digest: store.open(path(digest)),
        limits,
    )


def layout_choices(store: BlobStore, limits: ReadLimits) -> list[ImageChoice]:
    """The images of index.json, in its order."""
    where = f"{store.label}: index.json"
    blobs = layout_blobs(store, limits)
    index = json_object(blobs.documents.read(store, "index.json"), where)
    if "oci-layout" in store:
        version = json_object(blobs.documents.read(store, "oci-layout"), f"{store.label}: oci-layout")
        if not str(version.get("imageLayoutVersion", "")).startswith("1."):
            raise ImageError(f"{store.label}: OCI layout version {version.get('imageLayoutVersion')!r} is not known")
    return choices(blobs, index, where)


def choices(blobs: Blobs, index: dict[str, Any], where: str) -> list[ImageChoice]:
    """The images below an index document. `manifests` is its only field that counts."""
    images: list[ImageChoice] = []
    remaining = blobs.limits.manifests

    def walk(document: dict[str, Any], names: tuple[str, ...], group: int, depth: int, place: str) -> None:
        nonlocal remaining
        if depth > _MAX_DEPTH:
            raise ImageError(f"{where}: indexes nested more than {_MAX_DEPTH} deep")
        for number, entry in enumerate(field(document, "manifests", list, place)):
            remaining -= 1
            if remaining < 0:
                raise ImageError(f"{where}: more than {blobs.limits.manifests} manifests (limit)")
            if not isinstance(entry, dict):
                raise ImageError(f"{place}: an entry that is not a descriptor")
            digest = check_digest(entry.get("digest"), place)
            size = field(entry, "size", int, place, -1)
            notes = field(entry, "annotations", dict, place)
            if notes.get("vnd.docker.reference.type") == "attestation-manifest":
                continue
            entry_names = tuple(
                dict.fromkeys(notes[key] for key in _NAMES if isinstance(notes.get(key), str) and notes[key])
            )
            entry_names, branch = entry_names or names, number if depth == 0 else group
            stated = field(entry, "platform", dict, place)
            platform = platform_of(stated, place) if stated else None
            if platform is not None and platform.os == "unknown":
                continue
            if digest not in blobs:
                if depth:  # an index within may list what the archive leaves out (other platforms)
                    continue
                raise ImageError(f"{place}: {digest} is listed, but missing")
            if field(entry, "mediaType", str, place) in _INDEXES:
                walk(blobs.document(digest, size), entry_names, branch, depth + 1, f"{blobs.label}: {digest[:19]}")
            else:
                images.append(
                    ImageChoice(entry_names, platform, digest, branch, _loader(blobs, digest, size, entry_names))
                )

    walk(index, (), 0, 0, where)
    return images


def _loader(blobs: Blobs, digest: str, size: int, names: tuple[str, ...]) -> Callable[[], Image]:
    return lambda: load_manifest(blobs, digest, size, names)


def load_manifest(blobs: Blobs, digest: str, size: int = -1, names: tuple[str, ...] = ()) -> Image:
    """The image of a manifest (OCI, or Docker schema 2)."""
    manifest = blobs.document(digest, size)
    where = f"{blobs.label}: manifest {digest[:19]}"
    if manifest.get("schemaVersion") == 1 or "fsLayers" in manifest:
        raise ImageError(f"{where}: Docker schema 1 is not supported (save the image again with a current engine)")
    if "manifests" in manifest:
        raise ImageError(f"{where}: an index where a manifest is expected")
    descriptor = field(manifest, "config", dict, where)
    config_digest = check_digest(descriptor.get("digest"), f"{where}: config")
    config = blobs.document(config_digest, field(descriptor, "size", int, where, -1))
    diff_ids = diff_ids_of(config, where)
    descriptors = field(manifest, "layers", list, where)
    if len(descriptors) != len(diff_ids):
        raise ImageError(f"{where}: {len(descriptors)} layers, but the config lists {len(diff_ids)}")
    layers = tuple(
        _layer(blobs, number, entry, diff_id, where)
        for number, (entry, diff_id) in enumerate(zip(descriptors, diff_ids, strict=True))
    )
    name = names[0] if names else digest
    return Image(
        name, names, digest, platform_of(config, where), config, config_digest, history_of(config, where), layers
    )


def _layer(blobs: Blobs, number: int, entry: object, diff_id: str, where: str) -> Layer:
    place = f"{where}: layer {number}"
    if not isinstance(entry, dict):
        raise ImageError(f"{place}: not a descriptor")
    digest = check_digest(entry.get("digest"), place)
    media_type = field(entry, "mediaType", str, place)
    if media_type.endswith("+encrypted"):
        raise ImageError(f"{place}: is encrypted")
    stored = blobs.size(digest)
    if stored < 0:
        foreign = "foreign" in media_type or "nondistributable" in media_type or bool(entry.get("urls"))
        reason = "is kept outside of the archive (a foreign layer)" if foreign else "is missing"
        raise ImageError(f"{place}: {digest} {reason}")
    size = field(entry, "size", int, place, -1)
    return Layer(number, digest, diff_id, size, media_type, lambda: blobs.open(digest))
