"""The golden cases that are built before and after: directories `golden/<pass>/<case>/` with a `build.toml`.

    disposable = ["/var/lib/apt/lists/**"]        paths in which the images may differ (patterns.py)
    args = {VERSION = "1"}                        build arguments
    target = "final"                              the stage to build, else the last one
    base = {"ubuntu:24.04" = "debian:trixie"}     image of a FROM -> the local image that stands in for it
    run = "python3 -c 'import flask'"             a smoke command: succeeds, and says the same, in both images
    layers = 1                                    layers that the fix adds, for what they keep in the build cache

`disposable` is required, the others are optional; any other key is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dfopt.record import Record

from .patterns import compile_pattern

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


class CaseError(Exception):
    """A build.toml that says nothing usable; the message names the file and the key."""


class GoldenCase(Record):
    """One case. `directory` is the build context; `before` and `after` are the two Dockerfiles' bytes."""

    directory: Path
    before: bytes
    after: bytes
    disposable: tuple[str, ...]
    args: dict[str, str]
    base: dict[str, str]
    target: str | None
    run: str | None
    layers: int = 0


def case_directories(golden: Path = GOLDEN) -> list[Path]:
    """The directories of the cases that are to be built, sorted."""
    return sorted(file.parent for file in golden.glob("*/*/build.toml"))


def load_case(directory: Path) -> GoldenCase:
    """Reads a case. Raises CaseError when its build.toml or one of its Dockerfiles is missing or not usable."""
    file = directory / "build.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        before, after = (directory / "Dockerfile").read_bytes(), (directory / "expected.Dockerfile").read_bytes()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CaseError(f"{file}: {error}") from error
    if before == after:
        raise CaseError(f"{file}: Dockerfile and expected.Dockerfile are the same: there is nothing to compare")
    disposable = _take(file, table, "disposable", list)
    for pattern in disposable:
        try:
            compile_pattern(pattern)
        except (TypeError, ValueError, AttributeError) as error:
            raise CaseError(f"{file}: disposable: {error}") from error
    case = GoldenCase(
        directory,
        before,
        after,
        tuple(disposable),
        _names(file, table, "args"),
        _names(file, table, "base"),
        _take(file, table, "target", str, None),
        _take(file, table, "run", str, None),
        _take(file, table, "layers", int, 0),
    )
    if table:
        raise CaseError(f"{file}: unknown keys: {', '.join(sorted(table))}")
    return case


_REQUIRED = object()


def _take(file: Path, table: dict[str, Any], key: str, kind: type, default: object = _REQUIRED) -> Any:
    value = table.pop(key, default)
    if value is _REQUIRED:
        raise CaseError(f"{file}: {key} is missing")
    if value is not default and not isinstance(value, kind):
        raise CaseError(f"{file}: {key} must be a {kind.__name__}, not {value!r}")
    return value


def _names(file: Path, table: dict[str, Any], key: str) -> dict[str, str]:
    names: dict[str, str] = _take(file, table, key, dict, {})
    for name, value in names.items():
        if not isinstance(value, str):
            raise CaseError(f"{file}: {key}.{name} must be a string, not {value!r}")
    return names
