"""The document of a profile: JSON within limits, checked by `schema.json`. It comes from a repository: what is wrong
with it is an error with its place."""

from __future__ import annotations

import json
import os
import re

from dfopt.files import read_regular
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Path = tuple[str | int, ...]

LIMIT = 2 << 20  # bytes
_DIGITS = 16  # of a number
_WIDTH = 118
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "null": (type(None),),
}  # fmt: skip
_BLANK = re.compile(r"[ \t\n\r]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class DocumentError(Exception):
    """A document that is no profile. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Fault(Record):
    """What is wrong at a place of a document."""

    path: Path
    message: str


_schema: dict[str, Any] | None = None


def schema() -> dict[str, Any]:
    """The JSON Schema of a profile."""
    global _schema
    if _schema is None:
        loaded: dict[str, Any] = json.loads(read_regular(os.path.join(os.path.dirname(__file__), "schema.json")))
        _schema = loaded
    return _schema


def parse_document(data: bytes) -> dict[str, Any]:
    """The document in a file's content. Raises DocumentError."""
    try:
        text = data.decode()
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start)
        raise DocumentError("not UTF-8", line + 1, failure.start - data.rfind(b"\n", 0, failure.start)) from None
    try:
        document = json.loads(text, parse_int=_number, parse_constant=_constant)
    except json.JSONDecodeError as failure:
        raise DocumentError(f"not JSON: {failure.msg}", failure.lineno, failure.colno) from None
    except RecursionError:
        raise DocumentError("nested too deeply") from None
    except ValueError as failure:
        raise DocumentError(str(failure)) from None
    fault = next(faults(document, schema()), None)
    if fault is not None:
        offset = place_of(text, fault.path)
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        raise DocumentError(f"{_shown(fault.path)} {fault.message}", line, column)
    assert isinstance(document, dict)
    return document


def _number(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> float:
    raise ValueError(f"not JSON: {name}")


def resolved(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule of the schema, or the one that it refers to."""
    if "$ref" not in rule:
        return rule
    target: dict[str, Any] = schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    return target


def faults(value: Any, rule: Mapping[str, Any], path: Path = ()) -> Iterator[Fault]:
    """What a value has against a rule of the schema; of JSON Schema, what `schema.json` uses. Strings hold no control
    characters. The depth is that of the schema, which is not recursive."""
    rule = resolved(rule)
    if "enum" in rule:
        if not any(type(value) is type(choice) and value == choice for choice in rule["enum"]):
            yield Fault(path, f"is not {' or '.join(map(json.dumps, rule['enum']))}")
        return
    kinds = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    if isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        yield Fault(path, f"is not of type {' or '.join(kinds)}")
    elif isinstance(value, str):
        if len(value) > rule.get("maxLength", 200):
            yield Fault(path, "is too long")
        elif not re.search(rule["pattern"], value) or _CONTROL.search(value):
            yield Fault(path, f"is not of the form {rule['pattern']}")
    elif isinstance(value, (int, float)):
        if not rule.get("minimum", value) <= value <= rule.get("maximum", value):
            yield Fault(path, "is out of range")
    elif isinstance(value, list):
        if not rule.get("minItems", 0) <= len(value) <= rule["maxItems"]:
            yield Fault(path, f"has {len(value)} items")
        for index, item in enumerate(value):
            yield from faults(item, rule["items"], (*path, index))
    elif isinstance(value, dict):
        yield from _faults_of_object(value, rule, path)


def _faults_of_object(value: dict[str, Any], rule: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    properties, others = rule.get("properties", {}), rule.get("additionalProperties")
    if len(value) > rule.get("maxProperties", len(value)):
        yield Fault(path, f"has {len(value)} keys")
    for key in rule.get("required", ()):
        if key not in value:
            yield Fault(path, f'has no key "{key}"')
    for key, item in value.items():
        if key in properties:
            yield from faults(item, properties[key], (*path, key))
        elif not others or next(faults(key, rule["propertyNames"]), None) is not None:
            yield Fault((*path, key), "is not a key here")
        else:
            yield from faults(item, others, (*path, key))


def place_of(text: str, path: Path) -> int:
    """The offset of the value at `path` in a JSON text; that of the nearest value around it where there is none."""
    decoder = json.JSONDecoder()
    at = _past_blanks(text, 0)
    for part in path:
        inside = _past_blanks(text, at + 1)
        index = 0
        found = -1  # of an object, the last value of that key counts
        while text[inside] not in "]}":
            key: str | int = index
            if text[at] == "{":
                key, inside = decoder.raw_decode(text, inside)
                inside = _past_blanks(text, _past_blanks(text, inside) + 1)
            if key == part:
                found = inside
            inside = _past_blanks(text, decoder.raw_decode(text, inside)[1])
            index += 1
            if text[inside] == ",":
                inside = _past_blanks(text, inside + 1)
        if found < 0:
            return at
        at = found
    return at


def _past_blanks(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()


def _shown(path: Path) -> str:
    """`lines[3].bytes`; names as JSON, so that a terminal gets no control characters."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{json.dumps(part[:80])[1:-1]}" for part in path)
    return text.lstrip(".") or "the document"


def write_document(document: Mapping[str, Any]) -> bytes:
    """A document as it is written: the same always makes the same bytes. Raises DocumentError for one that
    `parse_document` would not take."""
    fault = next(faults(document, schema()), None)
    if fault is not None:
        raise DocumentError(f"{_shown(fault.path)} {fault.message}")
    data = f"{_written(document, '')}\n".encode()
    if len(data) > LIMIT:
        raise DocumentError(f"larger than {LIMIT} bytes")
    return data


def _written(value: Any, indent: str) -> str:
    """A value as JSON: on one line where it fits, so that a change of a fact is a change of one line."""
    flat = json.dumps(value)
    if len(indent) + len(flat) <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_written(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    if all(isinstance(item, str) for item in value):
        return f"[\n{_filled(list(map(json.dumps, value)), inner)}\n{indent}]"
    return "[\n" + ",\n".join(inner + _written(item, inner) for item in value) + f"\n{indent}]"


def _filled(words: list[str], indent: str) -> str:
    """Words behind commas, on as few lines as they need."""
    lines = [indent]
    for word in words:
        comma = "" if lines[-1] == indent else ", "
        if len(lines[-1]) + len(word) > _WIDTH and comma:
            lines[-1] += ","
            lines.append(indent)
            comma = ""
        lines[-1] += comma + word
    return "\n".join(lines)
