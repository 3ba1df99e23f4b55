"""Runs dfopt as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")


@cache
def cache_directory() -> tempfile.TemporaryDirectory[str]:
    """A cache of results of this test run's own; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="dfopt-cache-")


def environment(**more: str) -> dict[str, str]:
    """The process's environment without what would change dfopt's output, for dfopt of this tree."""
    left_out = ("NO_COLOR", "FORCE_COLOR", "DFOPT_TRACEBACK", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    own = cache_directory().name
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "dumb", "DFOPT_CACHE_DIR": own, **more}


def command(*args: str, driven: bool = True) -> list[str]:
    return [sys.executable, *([str(DRIVER)] if driven else ["-m", "dfopt"]), *args]


def dfopt(
    *args: str, cwd: Path, stdin: bytes = b"", driven: bool = True, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs dfopt; `driven`: with the optimizer of driver.py, else the real one. Never lets a traceback pass."""
    done = subprocess.run(
        command(*args, driven=driven), cwd=cwd, input=stdin, capture_output=True, env=environment(**(env or {})),
        timeout=300, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode("utf-8", "replace")
    return done
