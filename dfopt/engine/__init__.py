"""Engines that build and run images: BuildKit through `docker buildx`, podman, buildah.

with find_engine() as engine:
    image = engine.build(Build(".", open("Dockerfile", "rb").read()), timeout=600)
    archive = engine.save(image)      # for dfopt.image
"""

from __future__ import annotations

from dfopt.engine.base import Build, Container, Engine, EngineImage, Ran
from dfopt.engine.errors import BuildError, CancelledError, EngineError, EngineTimeLimitError, NoEngineError
from dfopt.engine.find import NAMES, find_engine

__all__ = [
    "NAMES",
    "Build",
    "BuildError",
    "CancelledError",
    "Container",
    "Engine",
    "EngineError",
    "EngineImage",
    "EngineTimeLimitError",
    "NoEngineError",
    "Ran",
    "find_engine",
]  # fmt: skip
