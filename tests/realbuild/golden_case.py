"""The golden cases that are built before and after: those with a `build.toml`.

    disposable = ["/var/lib/apt/lists/**"]        paths in which the images may differ (patterns.py)
    args = {VERSION = "1"}                        build arguments
    target = "final"                              the stage to build, else the last one
    base = {"ubuntu:24.04" = "debian:trixie"}     image of a FROM -> the local image that stands in for it
    run = "python3 -c 'import flask'"             a smoke command: succeeds, and says the same, in both images
    layers = 1                                    layers that the fix adds, for what they keep in the build cache

`disposable` is required, the others are optional; any other key is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dfopt.record import Record
from dfopt.testing.case_files import CaseDirectory, CaseError, CaseFiles
from dfopt.testing.discovery import find

from .patterns import compile_pattern

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


class GoldenCase(Record):
    """One case. `before` and `after` are the two Dockerfiles' bytes; `files` hold the build context."""

    files: CaseFiles
    before: bytes
    after: bytes
    disposable: tuple[str, ...]
    args: dict[str, str]
    base: dict[str, str]
    target: str | None
    run: str | None
    layers: int = 0

    def context_directory(self, scratch: Path) -> Path:
        """The directory that holds the build context: the case's own, or else `scratch`, with the files written."""
        if isinstance(self.files, CaseDirectory):
            return self.files.path
        for name in self.files.context():
            data = self.files.read(name)
            assert data is not None
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        return scratch


def cases_to_build(golden: Path = GOLDEN) -> list[CaseFiles]:
    """The cases that are to be built."""
    return [files for files in find(golden) if files.read("build.toml") is not None]


def load_case(files: CaseFiles) -> GoldenCase:
    """Reads a case. Raises CaseError when its build.toml or one of its Dockerfiles is missing or not usable."""
    file = files.where("build.toml")
    table = files.table("build.toml")
    before, after = files.read("Dockerfile"), files.read("expected.Dockerfile")
    if before is None or after is None:
        raise CaseError(f"{file}: no {'expected.' * (after is None)}Dockerfile")
    if before == after:
        raise CaseError(f"{file}: Dockerfile and expected.Dockerfile are the same: there is nothing to compare")
    disposable = _take(file, table, "disposable", list)
    for pattern in disposable:
        try:
            compile_pattern(pattern)
        except (TypeError, ValueError, AttributeError) as error:
            raise CaseError(f"{file}: disposable: {error}") from error
    case = GoldenCase(
        files,
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


def _take(file: str, table: dict[str, Any], key: str, kind: type, default: object = _REQUIRED) -> Any:
    value = table.pop(key, default)
    if value is _REQUIRED:
        raise CaseError(f"{file}: {key} is missing")
    if value is not default and not isinstance(value, kind):
        raise CaseError(f"{file}: {key} must be a {kind.__name__}, not {value!r}")
    return value


def _names(file: str, table: dict[str, Any], key: str) -> dict[str, str]:
    names: dict[str, str] = _take(file, table, key, dict, {})
    for name, value in names.items():
        if not isinstance(value, str):
            raise CaseError(f"{file}: {key}.{name} must be a string, not {value!r}")
    return names
