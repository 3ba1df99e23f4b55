"""Images of a docker archive: what `docker save`, `podman save` and skopeo's docker-archive: write (manifest.json).

Source: the Docker image specification v1.2 ("Combined Image JSON + Filesystem Changeset Format"); since Docker 25 the
same file is an OCI layout too, and layers are named by their digest. Layers have no descriptor here: the config's
diff_ids verify them, and their names where those are digests.
"""

from __future__ import annotations

import hashlib
import re

from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.model import (
    Image,
    Layer,
    diff_ids_of,
    field,
    history_of,
    json_object,
    parse_json,
    platform_of,
)
from dfopt.image.oci import ImageChoice
from dfopt.image.store import Documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.image.store import BlobStore

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_CONFIG = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


def archive_choices(store: BlobStore, limits: ReadLimits) -> list[ImageChoice]:
    """The images of manifest.json, in its order."""
    where = f"{store.label}: manifest.json"
    documents = Documents(limits)
    manifest = parse_json(documents.read(store, "manifest.json"), where)
    if not isinstance(manifest, list) or not all(isinstance(entry, dict) for entry in manifest):
        raise ImageError(f"{where}: a list of objects is expected (this is no docker archive)")
    if len(manifest) > limits.manifests:
        raise ImageError(f"{where}: more than {limits.manifests} images (limit)")
    choices = []
    configs: dict[str, tuple[dict[str, Any], str]] = {}
    for number, entry in enumerate(manifest):
        place = f"{where}: image {number}"
        names = _texts(entry, "RepoTags", place)
        name = field(entry, "Config", str, place)
        if name not in configs:
            configs[name] = _config(store, name, place, documents)
        config, digest = configs[name]
        loader = _loader(store, entry, config, digest, names, place)
        choices.append(ImageChoice(names, platform_of(config, place), digest, number, loader))
    return choices


def _config(store: BlobStore, name: str, place: str, documents: Documents) -> tuple[dict[str, Any], str]:
    data = documents.read(store, name)
    digest = hashlib.sha256(data).hexdigest()
    stated = _CONFIG.fullmatch(name)
    if stated is not None and stated[1] != digest:
        raise ImageError(f"{place}: config {name} does not match its digest: {digest} found")
    return json_object(data, f"{store.label}: {name}"), f"sha256:{digest}"


def _texts(entry: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    values = field(entry, key, list, place)
    if not all(isinstance(value, str) for value in values):
        raise ImageError(f"{place}: {key} is not a list of texts")
    return tuple(values)


def _loader(
    store: BlobStore, entry: dict[str, Any], config: dict[str, Any], digest: str, names: tuple[str, ...], place: str
) -> Callable[[], Image]:
    def load() -> Image:
        diff_ids = diff_ids_of(config, place)
        paths = _texts(entry, "Layers", place)
        if len(paths) != len(diff_ids):
            raise ImageError(f"{place}: {len(paths)} layers, but the config lists {len(diff_ids)}")
        layers = tuple(
            _layer(store, number, path, diff_id)
            for number, (path, diff_id) in enumerate(zip(paths, diff_ids, strict=True))
        )
        name = names[0] if names else digest
        return Image(name, names, "", platform_of(config, place), config, digest, history_of(config, place), layers)

    return load


def _layer(store: BlobStore, number: int, path: str, diff_id: str) -> Layer:
    stated = _BLOB.fullmatch(path)
    digest = f"sha256:{stated[1]}" if stated else ""
    return Layer(number, digest, diff_id, store.size(path), "", lambda: store.open(path))
