"""What a measured program is to the comparison: how it is started, and what its exit codes mean."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Tool(NamedTuple):
    name: str  # the table's first column
    command: tuple[str, ...] | None  # None: not installed, and `missing` says what was looked for
    missing: str = ""
    writes: bool = False  # it edits the files in place, so every run gets copies of its own
    stdin: bool = False  # file names go in on standard input, one a line, not as arguments
    ok: frozenset[int] = frozenset({0})  # exit codes of a complete run
    partial: frozenset[int] = frozenset()  # of a run that left files out and said so: figures stand, with a note
    fresh_home: bool = False  # a new, empty home for each run: no result of an earlier run may be reused
    env: Mapping[str, str] = {}
    version: tuple[str, ...] = ()  # prints the version
    first: int = 0  # it is started once for each file (see each.py) and gets this many of the sample; 0: one start, all


def find(name: str, peers_bin: Path | None) -> str | None:
    """Absolute path of program `name` in `peers_bin`, else on PATH; None if in neither."""
    found = shutil.which(name, path=str(peers_bin)) if peers_bin else None
    found = found or shutil.which(name)
    return os.path.abspath(found) if found else None


def absent(name: str) -> str:
    """What the row of a program that `find` did not find says."""
    return f"{name} in --peers-bin or on PATH"
