"""Functions of bake files: those of go-cty's standard library that depend on their arguments alone.

Rules: buildx, bake/hclparser/stdlib.go; go-cty, cty/function/stdlib. What is missing here has no known value.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LONGEST = 1 << 20  # characters of a value


def text_of(value: Any) -> str:
    """A primitive value as a string, as HCL converts it. Raises TypeError."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if not isinstance(value, str):
        raise TypeError("no string")
    if len(value) > LONGEST:
        raise ValueError("too long")
    return value


def _concat(*lists: list[Any]) -> list[Any]:
    return [item for items in lists for item in items]


def _flatten(items: list[Any]) -> list[Any]:
    return [inner for item in items for inner in (_flatten(item) if isinstance(item, list) else [item])]


def _merge(*objects: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for values in objects:
        merged.update(values)
    return merged


def _coalesce(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _format(pattern: str, *values: Any) -> str:
    remaining = list(values)

    def verb(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return text_of(remaining.pop(0))

    if re.search(r"%(?![%svd])", pattern):
        raise ValueError("a verb that is not known")
    text = re.sub(r"%[%svd]", verb, pattern)
    if remaining:
        raise ValueError("too many values")
    return text


def _substr(text: str, offset: int, length: int) -> str:
    offset = offset if offset >= 0 else len(text) + offset
    return text[offset:] if length < 0 else text[offset : offset + length]


def _join(separator: str, *lists: list[Any]) -> str:
    return separator.join(text_of(item) for item in _concat(*lists))


def _lookup(values: dict[str, Any], key: str, *default: Any) -> Any:
    return values.get(key, *default) if default else values[key]


def _distinct(items: list[Any]) -> list[Any]:
    return [item for number, item in enumerate(items) if item not in items[:number]]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda a, b: bool(a and b),
    "chomp": lambda text: text.rstrip("\r\n"),
    "coalesce": _coalesce,
    "compact": lambda items: [item for item in items if item not in ("", None)],
    "concat": _concat,
    "contains": lambda items, item: item in items,
    "distinct": _distinct,
    "element": lambda items, number: items[number % len(items)],
    "equal": lambda a, b: a == b,
    "flatten": _flatten,
    "format": _format,
    "greaterthan": lambda a, b: a > b,
    "join": _join,
    "keys": lambda values: sorted(values),
    "length": len,
    "lessthan": lambda a, b: a < b,
    "lookup": _lookup,
    "lower": str.lower,
    "merge": _merge,
    "not": lambda value: not value,
    "notequal": lambda a, b: a != b,
    "or": lambda a, b: bool(a or b),
    "replace": lambda text, old, new: text.replace(old, new),
    "reverselist": lambda items: items[::-1],
    "sanitize": lambda text: re.sub(r"[^a-zA-Z0-9_-]+", "_", text),
    "slice": lambda items, start, end: items[start:end],
    "sort": sorted,
    "split": lambda separator, text: text.split(separator),
    "strlen": len,
    "substr": _substr,
    "trimprefix": lambda text, prefix: text.removeprefix(prefix),
    "trimspace": str.strip,
    "trimsuffix": lambda text, suffix: text.removesuffix(suffix),
    "upper": str.upper,
    "values": lambda values: [values[key] for key in sorted(values)],
}
