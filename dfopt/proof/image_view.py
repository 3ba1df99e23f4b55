"""An image as a proof compares it: its merged file system and config, with noise masked. A layer shared by several
images is read once: most bytes of an image come from its base."""

from __future__ import annotations

from collections import OrderedDict

from dfopt.image import ImageContents, Ledger, make_ledger, open_archive, open_image
from dfopt.image.errors import Budget, ImageError, ReadLimits
from dfopt.image.layers import LayerFiles, read_layer
from dfopt.proof.nondeterminism import Masked
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.image import Archive, Image

_KEPT_LAYERS = 32


class ImageView(Record):
    """`masked`: the digest of an entry's content without noise, by the identity of the entry."""

    contents: ImageContents
    ledger: Ledger
    masked: dict[int, bytes]

    def has(self, path: str) -> bool:
        """Whether the merged file system has this path; links in its parents are followed."""
        return self.ledger.tree.find(path) is not None


class ImageReader:
    """Reads images and caches layers by diff ID."""

    def __init__(self) -> None:
        self._layers: OrderedDict[str, tuple[LayerFiles, dict[int, bytes]]] = OrderedDict()

    def archive(self, path: str, name: str | None = None) -> ImageView:
        """The only image of an archive, or the one with that name or digest. Raises ImageError."""
        with open_archive(path) as archive:
            return self.image(archive, name)

    def image(self, archive: Archive, name: str | None = None) -> ImageView:
        """As `archive`, of one that is open. Raises ImageError."""
        return self._image(archive.image(name))

    def reference(self, name: str, platform: str | None = None) -> ImageView:
        """An image by any form of reference (see dfopt.image.open_image). Raises ImageError."""
        masked = Masked()
        with open_image(name, platform) as image:
            contents = image.read(visit=masked.visit)
        masked.finish()
        return ImageView(contents, make_ledger(contents.layers), masked.digests)

    def _image(self, image: Image) -> ImageView:
        limits = ReadLimits()
        if len(image.layers) > limits.layers:
            raise ImageError(f"{image.name}: {len(image.layers)} layers (limit {limits.layers})")
        budget = Budget(limits)
        layers: list[LayerFiles] = []
        digests: dict[int, bytes] = {}
        for layer in image.layers:
            cached = self._layers.pop(layer.diff_id, None)
            if cached is None:
                masked = Masked()
                read = read_layer(layer, budget, visit=masked.visit)
                masked.finish()
                cached = read, masked.digests
            self._layers[layer.diff_id] = cached
            if len(self._layers) > _KEPT_LAYERS:
                self._layers.popitem(last=False)
            files = cached[0]
            layers.append(LayerFiles(layer, files.entries, files.stored, files.unpacked, files.compression))
            digests.update(cached[1])
        contents = ImageContents(image, tuple(layers))
        return ImageView(contents, make_ledger(contents.layers), digests)
