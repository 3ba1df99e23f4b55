"""Programs and samples for the tests of the comparison."""

from __future__ import annotations

import sys
from pathlib import Path

from .sample import Sample
from .tool import Tool


def program(code: str, *, writes: bool = False, stdin: bool = False, fresh_home: bool = False) -> Tool:
    """A tool that runs `code`; it prints something, so that it counts as having worked."""
    code = f"import os, subprocess, sys, time\n{code}\nprint('done')"
    return Tool("fake", (sys.executable, "-c", code), writes=writes, stdin=stdin, fresh_home=fresh_home)


def sample_of(root: Path, *texts: str) -> Sample:
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number:05}/Dockerfile")
        (root / names[-1]).parent.mkdir(parents=True)
        (root / names[-1]).write_text(text)
    return Sample(root, names, sum(map(len, texts)), {})


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
