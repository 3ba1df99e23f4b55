"""Functions of bake files: those of go-cty's standard library that depend on their arguments alone.

Rules: buildx, bake/hclparser/stdlib.go; go-cty, cty/function/stdlib. What is missing here has no known value.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

LONGEST = 1 << 20  # characters of a value
MOST_ITEMS = 100_000  # of a collection, those of what it holds included
_LARGEST = 10**300  # of a number that is reckoned with


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


def number_of(value: Any) -> int | float:
    """A number to reckon with. Raises TypeError for anything else, and ValueError for one that is too large."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("no number")
    if not abs(value) <= _LARGEST:
        raise ValueError("too large")
    return value


def joined_text(separator: str, pieces: Iterable[Any]) -> str:
    """Primitive values as one string. Raises TypeError, and ValueError for one that is too long."""
    texts: list[str] = []
    length = 0
    for piece in pieces:
        texts.append(text_of(piece))
        length += len(texts[-1]) + len(separator)
        if length - len(separator) > LONGEST:
            raise ValueError("too long")
    return separator.join(texts)


def size_of(value: Any, most: int = MOST_ITEMS) -> int:
    """How many values a collection holds, those of the collections in it included, each as often as it stands there;
    more than `most` where it would take too long to count."""
    count = 0
    waiting = [value]
    while waiting and count <= most:
        inner = waiting.pop()
        items = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
        count += len(items)
        waiting += [item for item in items if isinstance(item, (list, dict))]
    return count


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
    if re.search(r"%(?![%svd])", pattern):
        raise ValueError("a verb that is not known")
    remaining = list(values)
    pieces = re.split(r"(%[%svd])", pattern)
    for at in range(1, len(pieces), 2):
        pieces[at] = "%" if pieces[at] == "%%" else text_of(remaining.pop(0))
    if remaining:
        raise ValueError("too many values")
    return joined_text("", pieces)


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > LONGEST:
        raise ValueError("too long")
    return text.replace(old, new)


def _substr(text: str, offset: int, length: int) -> str:
    offset = offset if offset >= 0 else len(text) + offset
    return text[offset:] if length < 0 else text[offset : offset + length]


def _join(separator: str, *lists: list[Any]) -> str:
    return joined_text(separator, _concat(*lists))


def _lookup(values: dict[str, Any], key: str, *default: Any) -> Any:
    return values.get(key, *default) if default else values[key]


def _distinct(items: list[Any]) -> list[Any]:
    first: dict[Any, Any] = {}
    for item in items:
        key = repr(item) if isinstance(item, (list, dict)) else (isinstance(item, bool), item)
        first.setdefault(key, item)
    return list(first.values())


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
    "replace": _replace,
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
