"""Facts about images from an engine on this machine, for passes that ask. Each answer costs a process, so none is
looked up unless the user selected an engine."""

from __future__ import annotations

from dfopt.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.engine.base import Engine


class EngineSizes(Facts):
    """`image_bytes` of the images that an engine has; nothing is pulled, and each image is looked up once."""

    __slots__ = ("engine", "sizes")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sizes: dict[str, int | None] = {}

    def image_bytes(self, image: str) -> int | None:
        if image not in self.sizes:
            self.sizes[image] = self.engine.image_bytes(image)
        return self.sizes[image]


class EngineFacts(EngineSizes):
    """Their `image_config`, too."""

    __slots__ = ("configs",)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.configs: dict[str, Mapping[str, Any] | None] = {}

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        if image not in self.configs:
            config = self.engine.config(image)
            self.configs[image] = None if config is None else config.get("config") or {}
        return self.configs[image]
