"""Which image another one stands on: named by the user, or found among those of the local engine by its layers."""

from __future__ import annotations

import re

from dfopt.image.errors import ImageError
from dfopt.image.open_image import open_image
from dfopt.rebuild.config_instructions import SCRATCH, ConfigInstructions
from dfopt.rebuild.model import BaseImage, RebuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.image.engines import LocalImage
    from dfopt.image.model import Image, Platform

_NAME = re.compile(r"[a-zA-Z0-9][\w.:-]*(?:/[\w.:-]+)*(?:@sha256:[0-9a-f]{64})?", re.ASCII)
_SCHEMES = ("docker://", "docker-daemon:", "docker:", "podman:", "containers-storage:", "buildah:")

NO_BASE = BaseImage("scratch", 0, SCRATCH)


def named_base(image: Image, reference: str, platform: str | Platform | None = None) -> BaseImage:
    """The base that the user names. Raises RebuildError where the image does not stand on it, ImageError."""
    with open_image(reference, platform or str(image.platform)) as opened:
        base = opened.stored()
        layers, settings = tuple(layer.diff_id for layer in base.layers), base.settings()
        names = base.names
    name = reference
    for scheme in _SCHEMES:
        name = name.removeprefix(scheme)
    if opened.kind not in ("registry", "engine"):
        if not names:
            raise RebuildError(f"--base {reference}: the image has no name that FROM could use")
        name = names[0]
    if not _NAME.fullmatch(name):
        raise RebuildError(f"--base {reference}: not a name that FROM could use")
    own = tuple(layer.diff_id for layer in image.layers)
    shared = next((n for n, (a, b) in enumerate(zip(layers, own, strict=False)) if a != b), min(len(layers), len(own)))
    if shared < len(layers):
        raise RebuildError(
            f"{image.name} does not stand on {reference}: of its {len(layers)} layers the image has {shared}"
        )
    lost = ConfigInstructions(image.settings(), settings).lost
    if lost:
        raise RebuildError(f"{image.name} cannot be built FROM {reference}, whose config has {', '.join(lost[:5])}")
    return BaseImage(name, len(layers), settings)


def found_base(image: Image, candidates: Iterable[LocalImage]) -> BaseImage:
    """The local image that shares most of the lowest layers, of those whose config is a beginning of the image's; else
    `scratch`. The image itself, under any name, is not its base."""
    own = tuple(layer.diff_id for layer in image.layers)
    best = NO_BASE
    for candidate in candidates:
        count = len(candidate.layers)
        if not best.layers < count <= len(own) or candidate.layers != own[:count]:
            continue
        if image.config_digest.endswith(candidate.id) or image.name in candidate.names:
            continue
        names = [name for name in candidate.names if _NAME.fullmatch(name)]
        difference = ConfigInstructions(image.settings(), candidate.settings)
        if count == len(own) and not difference.instructions:  # the image itself, saved by another engine
            continue
        if names and not difference.lost:
            best = BaseImage(names[0], count, candidate.settings)
    return best


def local_base(image: Image) -> BaseImage:
    """As `found_base`, among the images of the engines on this machine; `scratch` where none answers."""
    from dfopt.image.engines import local_images

    try:
        return found_base(image, local_images())
    except ImageError:
        return NO_BASE
