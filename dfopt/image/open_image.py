"""One way to name an image, wherever it is: `open_image` takes what containers-transports(5) writes, a path, or a name.

docker://ghcr.io/team/app:1   of a registry              docker-daemon:app:1       of docker
oci:DIRECTORY[:NAME]          an OCI layout              podman:app:1              of podman (also
oci-archive:FILE[:NAME]       a tar of one                                         containers-storage:app:1)
docker-archive:FILE[:NAME]    what `docker save` writes  buildah:app:1             of buildah
FILE, DIRECTORY               any of the three forms     -                         an archive on standard input
app:1                         of the first engine on this machine that has it (docker, podman, buildah)
"""

from __future__ import annotations

import os
import sys

from dfopt.image.archive import open_archive
from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.layers import read_image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from dfopt.image.archive import Archive
    from dfopt.image.layers import ImageContents, Visit
    from dfopt.image.model import Image, Platform
    from dfopt.registry.client import RegistryClient

_ENGINES = {
    "docker-daemon": "docker", "docker": "docker", "podman": "podman", "containers-storage": "podman",
    "buildah": "buildah",
}  # fmt: skip
_FILES = {
    "oci": ("oci-layout",), "oci-archive": ("oci-archive", "docker-archive"),
    "docker-archive": ("docker-archive",),
}  # fmt: skip


class OpenImage:
    """An image that was found, not yet read. kind: `registry`, `engine`, `stream`, or an archive's kind.

    name: what it is called in messages and reports. `read` reads it; a stream can be read once.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind

    def read(
        self, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
    ) -> ImageContents:
        """All layers' entries, as `read_image` gives them; `visit` as there. Raises ImageError."""
        raise NotImplementedError

    def stored(self, limits: ReadLimits | None = None) -> Image:
        """The image with layers that can be opened any number of times, until this is closed: where it comes through a
        pipe, it is first copied into a temporary file without a name. Raises ImageError."""
        raise NotImplementedError

    def close(self) -> None:
        pass

    def __enter__(self) -> OpenImage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_image(
    reference: str,
    platform: str | Platform | None = None,
    limits: ReadLimits | None = None,
    client: RegistryClient | None = None,
) -> OpenImage:
    """Finds an image by any of the forms above. ImageError where there is none, or several fit.

    client: to ask registries by; without one, a new one with the user's credentials and mirrors.
    """
    scheme, colon, location = reference.partition(":")
    if reference == "-":
        return _Stream(platform)
    if colon and location.startswith("//") and scheme in ("docker", "http", "https"):
        if scheme != "docker":
            raise ImageError(f"{reference}: an image of a registry is written docker://HOST/NAME:TAG")
        return _RemoteImage(location[2:], platform, limits, client)
    if os.path.exists(reference):
        return _Archive(reference, None, (), platform, limits)
    if colon and scheme in _FILES:
        path, name = _split(location)
        return _Archive(path, name, _FILES[scheme], platform, limits)
    if colon and scheme in _ENGINES and location and (scheme != "docker" or not location.isdigit()):
        return _Engine(location, (_ENGINES[scheme],), platform)
    if reference.startswith(("/", "./", "../", "~")) or reference.endswith((".tar", ".tgz", ".gz", ".zst")):
        raise ImageError(f"{reference}: no such file or directory")
    return _Engine(reference, ("docker", "podman", "buildah"), platform)


def _split(text: str) -> tuple[str, str | None]:
    """PATH[:NAME]: the longest path that exists, then a name; a Windows drive is part of the path."""
    if os.path.exists(text):
        return text, None
    end = text.find(":", 2)
    while end >= 0:
        if os.path.exists(text[:end]):
            return text[:end], text[end + 1 :] or None
        end = text.find(":", end + 1)
    raise ImageError(f"{text.partition(':')[0]}: no such file or directory")


class _Archive(OpenImage):
    def __init__(
        self,
        path: str,
        name: str | None,
        kinds: tuple[str, ...],
        platform: str | Platform | None,
        limits: ReadLimits | None,
    ) -> None:
        self.archive = open_archive(path, limits)
        super().__init__(f"{path}:{name}" if name else path, self.archive.kind)
        try:
            # An archive may be both: what `docker save` writes since Docker 25 is an OCI layout too.
            if kinds and self.kind not in kinds and not (kinds == ("oci-layout",) and os.path.isdir(path)):
                raise ImageError(f"{path}: is no {kinds[0]}, but of the form {self.kind}")
            self.image = self.archive.image(name, platform)
        except BaseException:
            self.archive.close()
            raise

    def read(
        self, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
    ) -> ImageContents:
        return read_image(self.image, limits, hashes=hashes, visit=visit)

    def stored(self, limits: ReadLimits | None = None) -> Image:
        return self.image

    def close(self) -> None:
        self.archive.close()


class _Piped(OpenImage):
    """An image that comes through a pipe."""

    platform: str | Platform | None
    archive: Archive | None = None

    def copied(self, limits: ReadLimits | None) -> Archive:
        raise NotImplementedError

    def stored(self, limits: ReadLimits | None = None) -> Image:
        if self.archive is None:
            self.archive = self.copied(limits)
        return self.archive.image(None, self.platform)

    def close(self) -> None:
        if self.archive is not None:
            self.archive.close()


class _Engine(_Piped):
    def __init__(self, name: str, engines: tuple[str, ...], platform: str | Platform | None) -> None:
        from dfopt.image.engines import engine_with

        super().__init__(name, "engine")
        self.engine = engine_with(name, engines)
        self.platform = platform

    def copied(self, limits: ReadLimits | None) -> Archive:
        from dfopt.image.engines import archive_from_engine

        return archive_from_engine(self.engine, self.name, limits)

    def read(
        self, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
    ) -> ImageContents:
        from dfopt.image.engines import read_from_engine

        return read_from_engine(self.engine, self.name, self.platform, limits, hashes=hashes, visit=visit)


class _Stream(_Piped):
    def __init__(self, platform: str | Platform | None) -> None:
        super().__init__("standard input", "stream")
        if sys.stdin is None:
            raise ImageError("standard input is closed")
        self.platform = platform

    def copied(self, limits: ReadLimits | None) -> Archive:
        return open_archive(sys.stdin.buffer, limits, self.name)

    def read(
        self, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
    ) -> ImageContents:
        from dfopt.image.archive_stream import read_passing

        file = sys.stdin.buffer
        return read_passing(file, self.name, None, self.platform, limits, hashes=hashes, visit=visit)


class _RemoteImage(OpenImage):
    def __init__(
        self, name: str, platform: str | Platform | None, limits: ReadLimits | None, client: RegistryClient | None
    ) -> None:
        try:
            from dfopt.image.remote import RemoteImages
        except ImportError as error:  # httpx, or what it needs
            raise ImageError(f"docker://{name}: the registry client cannot be loaded: {error}") from None

        super().__init__(f"docker://{name}", "registry")
        self.images = RemoteImages(name, limits, client)
        try:
            self.image = self.images.image(platform)
        except BaseException:
            self.images.close()
            raise

    def read(
        self, limits: ReadLimits | None = None, *, hashes: bool = True, visit: Visit | None = None
    ) -> ImageContents:
        return read_image(self.image, limits, hashes=hashes, visit=visit)

    def stored(self, limits: ReadLimits | None = None) -> Image:
        return self.image

    def close(self) -> None:
        self.images.close()
