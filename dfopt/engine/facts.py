"""What an engine on this machine knows of images, for passes that ask: an answer costs a process, and none is asked for
unless the user asked for an engine."""

from __future__ import annotations

from dfopt.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.engine.base import Engine


class EngineFacts(Facts):
    """`image_config` of the images that an engine has; nothing is pulled. Each image is asked for once."""

    __slots__ = ("engine", "known")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.known: dict[str, Mapping[str, Any] | None] = {}

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        if image not in self.known:
            config = self.engine.config(image)
            self.known[image] = None if config is None else config.get("config") or {}
        return self.known[image]
