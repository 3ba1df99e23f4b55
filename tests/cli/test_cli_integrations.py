"""The hooks for pre-commit and the action for GitHub: what they say, run as their runners run it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.running import ROOT, environment
from dfopt.workspace.discovery import is_dockerfile

NAMES = (
    "Dockerfile", "dockerfile", "DOCKERFILE", "Dockerfile.dev", "web.Dockerfile", "Containerfile", "x.containerfile",
    "Dockerfile.md", "Dockerfile.j2", "Dockerfile.tmpl", "web.Dockerfile.in", "README.md", "Dockerfiles",
    "mydockerfile", "Dockerfile.dockerignore", "Dockerfile.prod.arm64", "dockerfile.txt", "compose.yaml",
)  # fmt: skip
BEFORE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"


def read(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text())


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with this dfopt in it."""
    place = tmp_path / "programs"
    place.mkdir()
    (place / "dfopt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dfopt "$@"\n')
    (place / "dfopt").chmod(0o755)
    return place


def test_hooks_take_the_files_that_a_search_takes() -> None:
    hooks = read(".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["dfopt-fix", "dfopt-check"]
    for hook in hooks:
        for directory in ("", "a/b/"):
            taken = {
                name
                for name in NAMES
                if re.search(hook["files"], directory + name) and not re.search(hook["exclude"], directory + name)
            }
            assert taken == {name for name in NAMES if is_dockerfile(name)}


@pytest.mark.parametrize(("hook", "code"), [("dfopt-fix", 0), ("dfopt-check", 1)])
def test_hook_runs(tmp_path: Path, programs: Path, hook: str, code: int) -> None:
    (entry,) = [shlex.split(one["entry"]) for one in read(".pre-commit-hooks.yaml") if one["id"] == hook]
    (tmp_path / "Dockerfile").write_text(BEFORE)
    done = subprocess.run(
        [*entry, "Dockerfile"], cwd=tmp_path, capture_output=True, check=False,
        env=environment(PATH=f"{programs}:{os.environ['PATH']}"),
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ((tmp_path / "Dockerfile").read_text() != BEFORE) == (hook == "dfopt-fix")


@pytest.mark.parametrize(
    ("arguments", "fail_on", "code"),
    [("--select apt-cleanup", "", 1), ("--select pin-digest", "", 0), ("--select apt-cleanup", "never", 0)],
)
def test_action_checks(tmp_path: Path, programs: Path, arguments: str, fail_on: str, code: int) -> None:
    """The second step of the action, in the runner's shell. The first makes a virtual environment of the project, as
    the README's first command does."""
    action = read("action.yml")
    step = action["runs"]["steps"][1]
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "Dockerfile").write_text(BEFORE)
    place = tmp_path / "temp" / "dfopt"
    place.mkdir(parents=True)
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    programs.rename(place / "bin")
    given = {
        "DFOPT_PATHS": action["inputs"]["paths"]["default"],
        "ARGUMENTS": arguments,
        "SARIF": "out.sarif",
        "FAIL_ON": fail_on,
    }
    assert set(step["env"]) == set(given)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path / "repo",
        capture_output=True, text=True, check=False, env=environment(RUNNER_TEMP=str(tmp_path / "temp"), **given),
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("::warning file=Dockerfile,line=2" in done.stdout) == ("apt" in arguments)
    assert (tmp_path / "repo" / "out.sarif").read_text().startswith('{"$schema"')
