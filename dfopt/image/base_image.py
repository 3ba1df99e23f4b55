"""What passes ask of a base image, as its registry has it: streamed through once, nothing is stored."""

from __future__ import annotations

from dfopt.image.artifacts import ImageFiles
from dfopt.image.ledger import make_ledger
from dfopt.image.remote import RemoteImages
from dfopt.registry.locked_base import ASKED, SETTINGS, LockedBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.registry.client import RegistryClient


def base_of(reference: str, digest: str, client: RegistryClient) -> LockedBase:
    """The facts of the image of a reference that ends in `digest`; of several platforms, those of this machine's.
    Raises ImageError, RegistryError, OSError."""
    image = RemoteImages(reference, client=client).image()
    config = {key: value for key, value in image.settings().items() if key in SETTINGS and value}
    seen = ImageFiles(image)
    files: dict[str, str] = {}
    for path in ASKED:
        artifact = seen.artifact(path)
        usable = artifact.mode & 0o111 or not path.rpartition("/")[0].endswith("bin")
        if artifact.kind and usable:
            files[path] = artifact.kind
    size = make_ledger(seen.layers).total_bytes
    return LockedBase(digest, config, seen.release(), files, dict(seen.set_id()), size)
