"""Where the builds of a test keep things, and what an engine, a folder and the kernel still hold of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dfopt.engine import marks
from dfopt.engine.storage import _rooted_in

from .engine import Engine


def set_apart(engine: Engine, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR of what a test starts: that works with the tests' engine, and remembers and logs in below `directory`."""
    for name in ("t", "config"):
        (directory / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(directory / "t"))
    monkeypatch.setenv("DFOPT_CACHE_DIR", str(directory / "cache"))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(directory / "config"))
    return directory / "t"


def leftovers(temporary: Path) -> list[str]:
    """Images, containers, mounts, processes and folders of this process, and of processes that have ended. `temporary`:
    the TMPDIR that they were given; docker's engine is that of DOCKER_HOST."""
    found = [f"folder {entry.name}" for entry in temporary.iterdir()]
    with open("/proc/self/mountinfo") as file:
        found += [f"mount {line.split()[4]}" for line in file if str(temporary) in line]
    found += [f"process {pid}" for pid in _rooted_in(str(temporary))]
    for kind, every in (("image", ["image", "ls", "-a"]), ("container", ["container", "ls", "-a"])):
        listed = _docker(*every, "-q", "--no-trunc", "--filter", f"label={marks.LABEL}").split()
        for name in sorted(set(listed)):
            mark = _docker(kind, "inspect", "--format", f'{{{{index .Config.Labels "{marks.LABEL}"}}}}', name).strip()
            if mark == marks.owner() or marks.abandoned(mark):
                found.append(f"{kind} {name} of {mark}")
    return found


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False).stdout
