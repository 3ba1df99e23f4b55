"""Images of a registry: manifests by the registry client, layers streamed from it; every digest is verified here."""

from __future__ import annotations

import io
import os

from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.model import json_object
from dfopt.image.oci import Blobs, choices, load_manifest
from dfopt.image.platform_choice import select
from dfopt.record import replace
from dfopt.registry.client import RegistryClient
from dfopt.registry.errors import RegistryError
from dfopt.registry.manifests import INDEX_TYPES, is_digest
from dfopt.registry.mirrors import read_registries_conf, standard_files
from dfopt.registry.resolution import ClientOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.image.layer_stream import BlobStream
    from dfopt.image.model import Image, Platform
    from dfopt.registry.content import Repository


class RemoteImages:
    """The images that one reference stands for; use as a context manager, and read layers before it closes."""

    def __init__(self, reference: str, limits: ReadLimits | None = None, client: RegistryClient | None = None) -> None:
        self.reference = reference
        self.label = f"docker://{reference}"
        self.limits = limits or ReadLimits()
        self._own = client is None
        try:
            mirrors = read_registries_conf(standard_files(os.environ))
        except RegistryError as error:
            raise ImageError(str(error)) from None
        self._client = client or RegistryClient(ClientOptions(mirrors=mirrors))

    def image(self, platform: str | Platform | None = None) -> Image:
        """The image for a platform (without one: the only one, else this machine's). Raises ImageError."""
        try:
            repository = self._client.repository(self.reference)
            digest, body, media_type = repository.manifest()
            blobs = _RemoteBlobs(self.label, repository, self.limits)
            document = blobs.learn(digest, body)
            if media_type in INDEX_TYPES:
                images = choices(blobs, document, self.label)
                image = select(images, None, platform, self.label).load()
            else:
                image = load_manifest(blobs, digest, len(body))
        except RegistryError as error:
            raise ImageError(str(error)) from None
        return replace(image, name=self.reference, names=(self.reference,))  # type: ignore[no-any-return]

    def close(self) -> None:
        if self._own:
            self._client.close()


class _RemoteBlobs(Blobs):
    """The blobs of a repository. A registry tells no sizes in advance: the descriptors do, as documents are read."""

    def __init__(self, label: str, repository: Repository, limits: ReadLimits) -> None:
        self.repository = repository
        self.bodies: dict[str, bytes] = {}
        self.sizes: dict[str, int] = {}
        self.manifests: set[str] = set()
        super().__init__(label, lambda digest: self.sizes.get(digest, -1), self.reader, limits)

    def learn(self, digest: str, body: bytes) -> dict[str, Any]:
        """The document, after the sizes that its descriptors state were noted."""
        document = json_object(body, f"{self.label}: {digest[:19]}")
        self.bodies[digest] = body
        self.sizes[digest] = len(body)
        descriptors = document.get("manifests")
        self._note(descriptors, self.manifests)
        self._note(document.get("layers"), set())
        self._note([document.get("config")], set())
        return document

    def document(self, digest: str, size: int = -1) -> dict[str, Any]:
        if digest in self.manifests and digest not in self.bodies:
            try:
                _, body, _ = self.repository.manifest(digest)
            except RegistryError as error:
                raise ImageError(str(error)) from None
            self.learn(digest, body)
        return super().document(digest, size)

    def reader(self, digest: str) -> BlobStream:
        body = self.bodies.get(digest)
        return io.BytesIO(body) if body is not None else self.repository.blob(digest)

    def _note(self, descriptors: object, digests: set[str]) -> None:
        for entry in descriptors if isinstance(descriptors, list) else []:
            if isinstance(entry, dict):
                digest, size = entry.get("digest"), entry.get("size")
                if isinstance(digest, str) and is_digest(digest) and type(size) is int and size >= 0:
                    self.sizes.setdefault(digest, size)
                    digests.add(digest)
