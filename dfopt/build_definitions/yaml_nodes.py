"""YAML as located values: aliases and merge keys resolved, scalars as the text that Go programs make of them.

Nothing is copied for an alias, so that a bomb of aliases stays as small as its text.
"""

from __future__ import annotations

import re
from typing import Any

from dfopt.build_definitions.located import LocatedValue
from dfopt.build_definitions.model import DEEPEST, MOST_VALUES, DefinitionError
from dfopt.lazy import regex
from dfopt.yaml import YamlError, documents

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INT = regex(r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)\Z")
_FLOAT = regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_BOOLEANS = {word: low for low in ("true", "false") for word in (low, low.capitalize(), low.upper())}


def read_yaml(text: str, file: str) -> list[LocatedValue]:
    """The documents of a YAML text. Raises DefinitionError."""
    try:
        nodes = documents(text)
    except YamlError as failure:
        raise DefinitionError(failure.message, file, failure.line or 1, failure.column or 1) from None
    return [_Values(file).of(node, 0) for node in nodes if node is not None]


class _Values:
    def __init__(self, file: str) -> None:
        self.file = file
        self.known: dict[int, LocatedValue | None] = {}  # by node; None while it is being read
        self.merged = 0  # values that merge keys repeat

    def of(self, node: Any, depth: int) -> LocatedValue:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if depth > DEEPEST:
            raise DefinitionError("nested too deeply", self.file, line, column)
        if id(node) in self.known:
            known = self.known[id(node)]
            if known is None:
                raise DefinitionError("an alias of what holds it", self.file, line, column)
            return known
        self.known[id(node)] = None
        value: LocatedValue
        if node.id == "mapping":
            value = LocatedValue(self._mapping(node, depth), line, column)
        elif node.id == "sequence":
            value = LocatedValue([self.of(item, depth + 1) for item in node.value], line, column)
        else:
            plain = node.style is None and (node.tag is None or str(node.tag).startswith("tag:yaml.org"))
            text = plain_text(node.value) if plain else node.value
            value = LocatedValue(text, line, column, not plain or is_textual(node.value))
        self.known[id(node)] = value
        return value

    def _mapping(self, node: Any, depth: int) -> dict[str, LocatedValue]:
        values: dict[str, LocatedValue] = {}
        merged: list[LocatedValue] = []
        for key, item in node.value:
            value = self.of(item, depth + 1)
            if key.id != "scalar":
                continue
            if key.value == "<<" and key.style is None:
                merged += value.sequence() if isinstance(value.value, list) else [value]
            else:
                values[key.value] = value
        for other in merged:
            self.merged += len(other.value) if isinstance(other.value, dict) else 1
            if self.merged > MOST_VALUES:
                message = f"merge keys repeat more than {MOST_VALUES:,} values"
                raise DefinitionError(message, self.file, node.start_mark.line + 1, node.start_mark.column + 1)
            for name, value in other.items():
                values.setdefault(name, value)
        return values


def is_textual(plain: str) -> bool:
    """Whether a plain scalar is text, and no null, boolean or number."""
    return not (plain in _NULLS or plain in _BOOLEANS or _INT.match(plain) or _FLOAT.match(plain))


def plain_text(plain: str) -> str | None:
    """What a plain scalar becomes where a Go program wants text: the number or boolean that it is, printed; None for a
    null. Rules: go-yaml v3 (resolve.go), and fmt's verb %v."""
    if plain in _NULLS:
        return None
    if plain in _BOOLEANS:
        return _BOOLEANS[plain]
    if _INT.match(plain):
        digits = plain.replace("_", "").lower()
        if re.match(r"[-+]?0[0-9]", digits):
            return str(int(digits, 8)) if not re.search(r"[89]", digits) else go_float(float(digits))
        return str(int(digits, 0)) if len(digits) < 20 else plain
    if _FLOAT.match(plain):
        return go_float(float(plain))
    return plain


def go_float(number: float) -> str:
    """As Go's fmt prints a float64 by %v: the shortest digits; an exponent below -4 and from 21."""
    if number != number or number in (float("inf"), float("-inf")):
        return str(number)
    if number == 0 or 1e-4 <= abs(number) < 1e21:
        text = f"{number:.17g}" if "e" in repr(number) else repr(number)
        return text.removesuffix(".0")
    mantissa, _, exponent = repr(number).partition("e")
    power = int(exponent or 0)
    return f"{mantissa.removesuffix('.0')}e{'-' if power < 0 else '+'}{abs(power):02d}"
