"""The scripts of docs/ci.md that comment on a pull request: run as they stand there, with gh and glab replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import FENCE
from ruamel.yaml import YAML

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ci.md"
WASTEFUL = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"


def snippets() -> dict[str, str]:
    """The script of each host, by the program that it calls."""
    found: dict[str, str] = {}
    for fence in FENCE.finditer(PAGE.read_text(encoding="utf-8")):
        text = fence["text"]
        if fence["kind"] != "yaml" or "--output-format markdown" not in text:
            continue
        parsed: Any = YAML(typ="safe").load(text)
        if isinstance(parsed, list):
            found["gh"] = parsed[0]["run"]
        else:
            found["glab"] = "\n".join(parsed["dfopt plan"]["script"])
    return found


def git(place: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=place, check=True, capture_output=True)


def test_both_hosts_are_documented() -> None:
    assert set(snippets()) == {"gh", "glab"}


@pytest.mark.parametrize("host", ["gh", "glab"])
@pytest.mark.parametrize("changed", [True, False])
def test_comment(host: str, changed: bool, tmp_path: Path) -> None:
    programs, upstream, checkout = tmp_path / "bin", tmp_path / "upstream", tmp_path / "checkout"
    programs.mkdir()
    (programs / host).write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done > "$SAID"\n')
    (programs / "dfopt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dfopt "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    upstream.mkdir()
    git(upstream, "init", "-q", "-b", "main")
    (upstream / "Dockerfile").write_text(WASTEFUL)
    (upstream / "gone.Dockerfile").write_text(WASTEFUL)
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "files")
    git(tmp_path, "clone", "-q", str(upstream), str(checkout))
    git(checkout, "checkout", "-qb", "change")
    (checkout / "gone.Dockerfile").unlink()
    if changed:
        (checkout / "a b").mkdir()
        (checkout / "a b" / "Dockerfile").write_text(WASTEFUL)
        (checkout / "-Dockerfile").write_text(WASTEFUL)
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "change")
    said = tmp_path / "said"
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "SAID": str(said), "GITHUB_BASE_REF": "main",
        "PULL_REQUEST": "7", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "PYTHONPATH": str(PAGE.parents[1]),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", snippets()[host]], cwd=checkout, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert said.exists() is changed
    if changed:
        words = said.read_text(encoding="utf-8")
        assert "7" in words.splitlines()
        comment = (checkout / "plan.md").read_text(encoding="utf-8")
        assert "a b/Dockerfile" in comment
        assert "`-Dockerfile`" in comment
        assert "gone.Dockerfile" not in comment
        assert "plan.md" in words if host == "gh" else comment.rstrip() in words
