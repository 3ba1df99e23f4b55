"""What a run remembers of directories: of a bounded number, each for a while."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Value = TypeVar("Value")

KEPT = 60.0  # seconds for which a directory is taken to be as it was


class ExpiringCache:
    """Values by directory; of more than `most`, those go that were asked for longest ago."""

    __slots__ = ("_values", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: dict[str, tuple[float, Any]] = {}

    def get(self, directory: str, make: Callable[[str], Value]) -> Value:
        """What `make` gives of a directory, or gave less than KEPT seconds ago."""
        kept: tuple[float, Value] | None = self._values.pop(directory, None)
        if kept is None or time.monotonic() - kept[0] >= KEPT:
            value = make(directory)
            kept = time.monotonic(), value
        self._values[directory] = kept
        if len(self._values) > self.most:
            del self._values[next(iter(self._values))]
        return kept[1]

    def clear(self) -> None:
        self._values.clear()
