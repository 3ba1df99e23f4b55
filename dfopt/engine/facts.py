"""Facts about images from an engine on this machine, for passes that ask. Each answer costs a process, so none is
looked up unless the user selected an engine."""

from __future__ import annotations

from dfopt.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.engine.base import Engine


class EngineFacts(Facts):
    """`image_config` of the images that an engine has; nothing is pulled, and each image is looked up once."""

    __slots__ = ("configs", "engine")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.configs: dict[str, Mapping[str, Any] | None] = {}

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        if image not in self.configs:
            config = self.engine.config(image)
            self.configs[image] = None if config is None else config.get("config") or {}
        return self.configs[image]
