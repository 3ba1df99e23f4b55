"""Makes images with a history and reviews them, without an engine."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from image.builders import TarEntry, docker_archive, layer

from dfopt.image import open_image
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.review.build import ReviewSettings, make_review
from dfopt.review.model import Review
from dfopt.review.secret_scan import Watch
from dfopt.source import Source


def step(created_by: str, empty: bool = False) -> dict[str, Any]:
    return {"created_by": created_by, **({"empty_layer": True} if empty else {})}


def image(
    path: Path, layers: Sequence[Iterable[TarEntry]], history: Sequence[dict[str, Any]] = (), **settings: Any
) -> Path:
    """A docker archive of layers with that history (one plain entry for each layer without one)."""
    more: dict[str, Any] = {"config": settings}
    if history:
        more["history"] = list(history)
    return docker_archive(path, [layer(*entries, form=tarfile.PAX_FORMAT) for entries in layers], **more)


def review(path: Path, dockerfile: str | None = None, settings: ReviewSettings | None = None) -> Review:
    watch = Watch()
    with open_image(str(path)) as opened:
        contents = opened.read(visit=watch.visit)
    result = None
    titles: list[str] = []
    if dockerfile is not None:
        result = optimize(Source("Dockerfile", dockerfile), Options())
        titles = [f"{fix.name}: {fix.message}" for fix in result.applied]
    return make_review(contents, watch, settings or ReviewSettings(), result, titles)
