"""Opens an image archive whatever its form, lists its images, and picks one by name and platform.

Forms: an OCI layout (directory or tar), a docker archive (tar, or the directory that one was unpacked to), each of the
tars also compressed as a whole or coming through a pipe. Those two are first copied, decompressed, into an anonymous
temporary file, because layers do not lie in the archive in the order in which they are needed; no file of the image is
ever unpacked.
"""

from __future__ import annotations

import io
import os
import tempfile

from dfopt.files import open_named
from dfopt.image.docker_archive import archive_choices
from dfopt.image.errors import Budget, ImageError, ReadLimits
from dfopt.image.layer_stream import LayerStream, compression
from dfopt.image.model import Image, Platform
from dfopt.image.oci import ImageChoice, layout_choices
from dfopt.image.platform_choice import select
from dfopt.image.store import Borrowed, DirectoryStore, TarStore
from dfopt.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

    from dfopt.image.store import BlobStore


class Archive:
    """An open archive; use as a context manager. `kind` is `oci-layout`, `oci-archive` or `docker-archive`.

    Layers of its images can be read until it is closed.
    """

    def __init__(self, store: BlobStore, kind: str, choices: list[ImageChoice]) -> None:
        self.store = store
        self.kind = kind
        self.choices = choices

    def image(self, name: str | None = None, platform: str | Platform | None = None) -> Image:
        """The image of that name (a tag alone will do where it is unique; a digest or its first 12 digits too).

        Without a name the archive must hold one image only. Without a platform: the only one, else this machine's.
        ImageError lists what there is when nothing or too much fits.
        """
        choice = select(self.choices, name, platform, self.store.label)
        image = choice.load()
        if name is not None and name in choice.names:
            image = replace(image, name=name)
        return image

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_archive(
    source: str | os.PathLike[str] | BinaryIO, limits: ReadLimits | None = None, label: str = "standard input"
) -> Archive:
    """Opens a path, or a binary file object such as a pipe from `docker save` (which stays the caller's to close, and
    is named `label` in messages).

    ImageError for everything that is not an image archive, and for I/O errors, which it names.
    """
    limits = limits or ReadLimits()
    if not isinstance(source, (str, os.PathLike)):
        return _open_tar(_seekable(source, label, limits, owned=False), label, limits)
    path = os.fspath(source)
    try:
        if os.path.isdir(path):
            return _open(DirectoryStore(path), "oci-layout", limits)
        file = open_named(path)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    return _open_tar(_seekable(file, path, limits, owned=True), path, limits)


def _open_tar(file: BinaryIO, label: str, limits: ReadLimits) -> Archive:
    try:
        return _open(TarStore(file, label, limits), "oci-archive", limits)
    except OSError as error:
        file.close()
        raise ImageError(f"{label}: {error.strerror}") from None
    except BaseException:
        file.close()
        raise


def _open(store: BlobStore, kind: str, limits: ReadLimits) -> Archive:
    if "manifest.json" in store:
        return Archive(store, "docker-archive", archive_choices(store, limits))
    if "index.json" in store:
        return Archive(store, kind, layout_choices(store, limits))
    if "repositories" in store:
        raise ImageError(f"{store.label}: saved by a Docker older than 1.10, which is not supported")
    raise ImageError(f"{store.label}: not an image archive (neither index.json nor manifest.json is in it)")


def _seekable(file: BinaryIO, label: str, limits: ReadLimits, owned: bool) -> BinaryIO:
    """The file itself where it is a plain, seekable tar; else a decompressed copy without a name."""
    usable = False
    try:
        if file.seekable():
            head = file.read(6)
            file.seek(0)
            if compression(head, label) == "plain":
                usable = True
                return file if owned else io.BufferedReader(Borrowed(file))
        return _copy(file, label, limits)
    except OSError as error:
        raise ImageError(f"{label}: {error.strerror or error}") from None
    finally:
        if owned and not usable:
            file.close()


def _copy(file: BinaryIO, label: str, limits: ReadLimits) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        for chunk in LayerStream(file, label, Budget(replace(limits, total_bytes=limits.archive_bytes))):
            copy.write(chunk)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy
