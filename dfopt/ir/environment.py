"""Variables that each instruction may set, kept once for all steps: what a step sees is a version, not a copy."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_DEEPEST = 16  # histories that a look-up may go through, one for each stage that another is built on


class _History:
    """Of each name, the versions that set it and the values, in order; what is not here is as `base` has it."""

    __slots__ = ("base", "depth", "latest", "names")

    def __init__(self, base: Environment | None) -> None:
        self.names: dict[str, tuple[list[int], list[Any]]] = {}
        self.latest = 0
        self.base = base
        self.depth: int = 0 if base is None else base.history.depth + 1


class Environment(Mapping[str, "Any"]):
    """Names and their values, immutable. `with_set` costs what it sets, however many names there are."""

    __slots__ = ("history", "version")

    def __init__(self, history: _History | None = None, version: int = 0) -> None:
        self.history = history or _History(None)
        self.version = version

    def with_set(self, values: Mapping[str, Any]) -> Environment:
        """This environment with other values for some names."""
        history = self.history
        if history.latest != self.version:  # someone else goes on from here
            history = _History(self)
            if history.depth > _DEEPEST:
                history = _History(None)
                values = {**self, **values}
        history.latest += 1
        for name, value in values.items():
            versions, known = history.names.setdefault(name, ([], []))
            versions.append(history.latest)
            known.append(value)
        return Environment(history, history.latest)

    def __getitem__(self, name: str) -> Any:
        at: Environment | None = self
        while at is not None:
            entry = at.history.names.get(name)
            if entry is not None:
                index = bisect_right(entry[0], at.version)
                if index:
                    return entry[1][index - 1]
            at = at.history.base
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which they were first set."""
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Environment) and other.history is self.history and other.version == self.version:
            return True
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def _all(self) -> dict[str, None]:
        chain: list[Environment] = []
        at: Environment | None = self
        while at is not None:
            chain.append(at)
            at = at.history.base
        names: dict[str, None] = {}
        for environment in reversed(chain):
            for name, (versions, _) in environment.history.names.items():
                if versions[0] <= environment.version:
                    names[name] = None
        return names
