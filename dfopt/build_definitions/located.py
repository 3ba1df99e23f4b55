"""Values of YAML and JSON with the places where they are written."""

from __future__ import annotations

from dfopt.record import Record


class LocatedValue(Record):
    """A value: a mapping, a sequence, text, or None for null; where it is written, from 1; whether it is text by its
    notation (quoted, or no other type's)."""

    value: dict[str, LocatedValue] | list[LocatedValue] | str | None
    line: int
    column: int
    textual: bool = True

    def get(self, key: str) -> LocatedValue | None:
        """The value under a key; None where there is none, where it is null, and for what is no mapping."""
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return inner if inner is not None and inner.value is not None else None

    def items(self) -> list[tuple[str, LocatedValue]]:
        """Of a mapping; else none."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def sequence(self) -> list[LocatedValue]:
        """Of a sequence; else none."""
        return self.value if isinstance(self.value, list) else []

    def scalar(self) -> str | None:
        return self.value if isinstance(self.value, str) else None
