"""Paths as a profile holds them: few, and without names that could be anything."""

from __future__ import annotations

import posixpath
import re

from dfopt.profile.document import faults, schema
from dfopt.proof.opened_files import image_files, python_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dfopt.engine.open_watch import OpenWatch
    from dfopt.image.artifacts import ImageFiles
    from dfopt.proof.lab import ProofImage

_SAFE = re.compile(r"/[A-Za-z0-9_.+@,:=%~/-]{0,390}")
_MANY = 20  # names of one directory that are worth to be told
_MOST_OPENED = 50  # rows


def told_paths(paths: Iterable[str], most: int | None = None) -> list[str]:
    """Absolute paths in order. `DIR/*` stands for many of a directory, or for names that a profile cannot hold. Where
    that makes more than `most`, it stands for what is below of it too, of as few directories as that takes."""
    paths = sorted(paths)
    depth = max((path.count("/") for path in paths), default=1) - 1  # of a directory: its names
    rows = _grouped(paths, depth)
    while most is not None and len(rows) > most and depth > 0:
        depth -= 1
        rows = _grouped(paths, depth)
    return rows


def _grouped(paths: list[str], depth: int) -> list[str]:
    groups: dict[str, list[str]] = {}
    for path in paths:
        directory = "/".join(posixpath.dirname(path).rstrip("/").split("/")[: depth + 1])
        groups.setdefault(f"{directory}/", []).append(path)
    rows: list[str] = []
    for directory, members in groups.items():
        if _SAFE.fullmatch(directory):
            plain = [path for path in members if _SAFE.fullmatch(path)]
            rows += plain if len(members) <= _MANY else []
            rows += [f"{directory}*"] if len(plain) != len(members) or len(members) > _MANY else []
    return sorted(rows)


def opened_row(watch: OpenWatch, built: ProofImage, files: ImageFiles, hidden: tuple[str, ...]) -> dict[str, Any]:
    """What a profile says of the files of an image that a container opened: those of packages as numbers."""
    opened = image_files(built, watch.paths, hidden)
    packages: dict[str, int] = {}
    others: list[str] = []
    for path in opened:
        package = files.artifact(path).package or files.artifact(python_source(path) or path).package
        if package is None or any(faults(package, schema()["$defs"]["word"])):
            others.append(path)
        else:
            packages[package] = packages.get(package, 0) + 1
    return {
        "since": "start" if watch.from_start else "later",
        "complete": "yes" if watch.complete else "no",
        "files": len(opened),
        "bytes": sum(inode.entry.size for inode in {id(inode): inode for inode in opened.values()}.values()),
        "packages": dict(sorted(packages.items())),
        "paths": told_paths(others, _MOST_OPENED),
    }
