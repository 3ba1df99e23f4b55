"""Manifests: media types, digests, and what is read out of a body. Source: OCI image specification 1.1."""

from __future__ import annotations

import hashlib
import json
import re

from dfopt.record import Record
from dfopt.registry.errors import BadAnswerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
ACCEPTED_TYPES = frozenset({OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST})
# Without the index types a registry answers 404 for an index, or with the digest of one platform.
ACCEPT = ", ".join((OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST))
BODY_LIMIT = 4 << 20  # bytes; the limit that the distribution specification names for manifests

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


class Digest(Record):
    """What an image reference resolved to.

    `value`: "sha256:..." of the index where there is one, else of the manifest. `platforms`: of an index whose body was
    read ("linux/arm64/v8", sorted, attestations left out), else None. `verified`: the content was fetched and hashed.
    `served_by`: "host/path" of the registry or mirror that answered.
    """

    value: str
    media_type: str
    platforms: tuple[str, ...] | None = None
    verified: bool = False
    served_by: str = ""

    def __str__(self) -> str:
        return self.value


def is_digest(text: str) -> bool:
    """Whether this is a digest of an algorithm that is checked here (sha256, sha384, sha512), with lower-case hex."""
    return _DIGEST.fullmatch(text) is not None


def hash_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of a body by the algorithm ("sha256") or by that of a digest."""
    name = algorithm.partition(":")[0]
    return f"{name}:{hashlib.new(name, body).hexdigest()}"


def media_type_of(content_type: str) -> str:
    """A Content-Type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def check_media_type(media_type: str, host: str) -> None:
    """Raises BadAnswerError unless this is the type of an index or manifest that docker pulls today."""
    if media_type in ACCEPTED_TYPES:
        return
    if media_type.startswith("application/vnd.docker.distribution.manifest.v1+"):
        raise BadAnswerError(
            f"{host} has the image in the old schema 1 format, which docker no longer pulls",
            "push it again with a current tool",
            host,
        )
    raise BadAnswerError(f"{host} answered with something that is no image manifest", "is this a registry?", host)


def read_manifest(body: bytes, content_type: str, host: str) -> tuple[str, tuple[str, ...] | None]:
    """Media type and, for an index, the platforms. Raises BadAnswerError when the body is not a manifest."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadAnswerError(f"{host} answered with something that is no image manifest", "is this a registry?", host)
    media_type = media_type_of(content_type)
    if media_type not in ACCEPTED_TYPES and not media_type.startswith("application/vnd.docker."):
        # Servers that keep manifests as plain files call them application/json or octet-stream.
        media_type = _inner_type(content) or media_type
    check_media_type(media_type, host)
    return media_type, _platforms(content) if media_type in INDEX_TYPES else None


def _inner_type(content: dict[str, Any]) -> str:
    named = content.get("mediaType")
    if isinstance(named, str):
        return named
    if content.get("schemaVersion") == 2:  # OCI: mediaType may be left out, the shape decides
        if isinstance(content.get("manifests"), list):
            return OCI_INDEX
        if isinstance(content.get("config"), dict):
            return OCI_MANIFEST
    return ""


def _platforms(content: dict[str, Any]) -> tuple[str, ...]:
    entries = content.get("manifests")
    platforms: set[str] = set()
    for entry in entries if isinstance(entries, list) else []:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(platform, dict):
            parts = [platform.get(key) for key in ("os", "architecture", "variant")]
            words = [part for part in parts if isinstance(part, str) and re.fullmatch(r"[a-z0-9._-]+", part)]
            if len(words) >= 2 and "unknown" not in words:  # "unknown/unknown": BuildKit's attestations
                platforms.add("/".join(words))
    return tuple(sorted(platforms))
