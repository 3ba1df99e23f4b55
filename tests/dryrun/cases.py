"""Cases on disk: a directory with a Dockerfile, its build context, and, where it takes more than the default,

    case.toml   `select`, `unsafe = true`, `settings = { pass = { option = value } }`

Each shows what a rewrite once did wrong; `holds.txt` beside this file names those that no rewrite breaks today.
"""

from __future__ import annotations

from pathlib import Path

from dfopt.knowledge import load_toml

from .pool import Task
from .trial import Checks

ROOT = Path(__file__).parent / "cases"
HOLDS = Path(__file__).parent / "holds.txt"
EVERYTHING = Checks(faults=-1, cache_lost=True, start=True, split=True)


def load(path: Path) -> Task:
    """The case in a directory, with every check. Raises ValueError where case.toml says what nobody reads."""
    file = path / "case.toml"
    row = load_toml(file.read_bytes()) if file.is_file() else {}
    select, unsafe, settings = tuple(row.pop("select", ())), row.pop("unsafe", False), row.pop("settings", {})
    if row:
        raise ValueError(f"{file}: unknown keys: {', '.join(row)}")
    return Task(path.name, (path / "Dockerfile").read_bytes(), path, select, (), unsafe, settings, EVERYTHING)


def find() -> list[Path]:
    return sorted(path.parent for path in ROOT.glob("*/Dockerfile"))


def holding() -> list[str]:
    return [line for line in HOLDS.read_text().split("\n") if line and not line.startswith("#")]
