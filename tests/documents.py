"""The documentation's pages as tests see them: their commands in order, run in a scratch directory.

The scratch directory is a git repository with copies of examples/ and of the golden cases that the page names. A fence
behind a line "`PATH`:" is written there when its turn comes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cli.running import ROOT, environment

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# These commands need what no test here has: a package index, the whole suite, a server, a repository to push to
EXEMPT = ("python3 -m venv ", "pip install ", "apt-get ", "tests/run", "make ", "git clone ", "git push ", "dask ")
# Pages whose commands another test runs: they need an image, or an engine that builds
ELSEWHERE = {
    "review.md": "tests/review/test_review_docs.py",
    "verify.md": "tests/realbuild/test_docs_builds.py",
    "profile.md": "tests/realbuild/test_docs_builds.py",
}
FENCE = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^(?P<ticks>`{3,})(?P<kind>\w*)\n(?P<text>.*?)^(?P=ticks)$", re.M | re.S
)


class Step(NamedTuple):
    """A command with what the page shows of its output, or a file to write (`command` is its path)."""

    command: str
    shown: str
    is_file: bool = False


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        if fence["path"]:
            found.append(Step(fence["path"], fence["text"], is_file=True))
        elif fence["kind"] == "console":
            for part in re.split(r"^\$ ", fence["text"], flags=re.M)[1:]:
                command, _, output = part.partition("\n")
                found.append(Step(command, output))
    return found


def scratch(page: Path, place: Path) -> dict[str, str]:
    """Fills the directory that a page's commands run in; returns their environment."""
    text = page.read_text(encoding="utf-8")
    place.mkdir()
    shutil.copytree(ROOT / "examples", place / "examples")
    for case in set(re.findall(r"golden/[\w-]+/[\w-]+", text)):
        if (ROOT / case).is_dir():
            shutil.copytree(ROOT / case, place / case)
    programs = place.parent / "programs"
    programs.mkdir()
    (programs / "dfopt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dfopt "$@"\n')
    (programs / "dfopt").chmod(0o755)
    who = {f"GIT_{role}_{what}": f"x@{role}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = environment(PATH=path, HOME=str(place.parent), GIT_CONFIG_GLOBAL=os.devnull, **who)
    if "`dfopt/passes/" in text:  # the page writes a pass: into a dfopt of its own
        shutil.copytree(ROOT / "dfopt", place / "dfopt", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "recipes", place / "recipes")
        env["PYTHONPATH"] = str(place)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "begin"]):
        subprocess.run(["git", *command], cwd=place, env=env, check=True)
    return env


def perform(page: Path, place: Path, more: dict[str, str] | None = None) -> list[str]:
    """Runs a page; returns what it does not say truly."""
    env = {**scratch(page, place), **(more or {})}
    problems: list[str] = []
    for step in steps(page):
        if step.is_file:
            target = place / step.command
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.shown, encoding="utf-8")
            continue
        if step.command.startswith(EXEMPT):
            assert not step.shown, f"what {step.command!r} prints is not tested: do not show it"
            continue
        done = subprocess.run(
            ["sh", "-c", step.command], cwd=place, env=env, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            problems.append(f"$ {step.command}\nends with {done.returncode}: {done.stderr}")
        said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("dfopt: "))
        if step.shown and step.shown != (done.stdout or f"{said}\n"):
            problems.append(
                f"$ {step.command}\n{done.stdout or said}\n--- is what it prints; the page shows\n{step.shown}"
            )
    return problems
