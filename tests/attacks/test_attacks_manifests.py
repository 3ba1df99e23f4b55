"""Manifests and lock files of a build context (package.json, Cargo.toml ...) whose values are of the wrong kind."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dfopt.facts import Facts
from dfopt.optimizer import optimize
from dfopt.testing import golden
from dfopt.testing.discovery import find
from dfopt.toml import TomlError, parse

ROOT = Path(__file__).parents[2] / "golden"
WRONG: tuple[object, ...] = (7, "x", [], {}, True, [7], ["x"], [[]], [{}], {"x": 7}, {"x": []}, {"x": {}})
MOST = 24  # places of a file: the first of its tree, breadth first


class Instead(Facts):
    """The facts of a case, but for one file."""

    def __init__(self, inner: Facts, path: str, content: bytes) -> None:
        self.inner, self.path, self.content = inner, path, content

    def context_paths(self) -> frozenset[str] | None:
        return self.inner.context_paths()

    def context_holds(self, path: str) -> bool | None:
        return self.inner.context_holds(path)

    def context_leaves_out(self, path: str) -> bool | None:
        return self.inner.context_leaves_out(path)

    def context_file(self, path: str) -> bytes | None:
        return self.content if path == self.path else self.inner.context_file(path)


def read(path: str, content: bytes) -> Any:
    """What a JSON or TOML file holds; None for another file."""
    try:
        if path.endswith((".toml", "Cargo.lock", "poetry.lock", "uv.lock")):
            return parse(content)[1]
        return json.loads(content) if path.endswith((".json", "composer.lock")) else None
    except (ValueError, TomlError):
        return None


def written(path: str, value: Any) -> bytes:
    """A document as the format of a file has it; a TOML value without a table around it is a broken file."""
    if path.endswith((".json", "composer.lock")):
        return json.dumps(value).encode()
    if not isinstance(value, dict):
        return b"= x\n"
    return "".join(f"{json.dumps(key)} = {_inline(inner)}\n" for key, inner in value.items()).encode()


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, default=str)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The keys and indices that lead to each value, the outer ones first."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    for way, inner in waiting:
        yield way
        parts = inner.items() if isinstance(inner, dict) else enumerate(inner[:2]) if isinstance(inner, list) else ()
        waiting += [((*way, key), part) for key, part in parts]


def replaced(value: Any, way: Sequence[Any], other: object) -> Any:
    if not way:
        return other
    changed = copy.deepcopy(value)
    at = changed
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = other
    return changed


def cases() -> dict[str, tuple[golden.GoldenCase, str, Any]]:
    """The cases with such a file, by the file's content and the case's group, each once."""
    found: dict[str, tuple[golden.GoldenCase, str, Any]] = {}
    seen: set[tuple[str, bytes]] = set()
    for files in find(ROOT):
        case = golden.load(files)
        for path in sorted(case.facts().context_paths() or ()):
            content = case.facts().context_file(path) or b""
            value = read(path, content)
            if value and (files.group, content) not in seen:
                seen.add((files.group, content))
                found[f"{files.name}:{path}"] = case, path, value
    return found


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_values_of_the_wrong_kind(name: str) -> None:
    case, path, value = CASES[name]
    for way in list(places(value))[:MOST]:
        for other in WRONG:
            content = written(path, replaced(value, way, other))
            optimize(case.source, case.options, Instead(case.facts(), path, content))
