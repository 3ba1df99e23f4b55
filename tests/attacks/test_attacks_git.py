"""Whatever a checkout's git configuration names, `migrate apply` runs none of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli.running import dfopt

BEFORE = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"


def git(top: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(top), "-c", "user.name=a", "-c", "user.email=a@b", *words],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def hostile(mark: Path) -> dict[str, str]:
    """Settings that name a program, which leaves a file with `mark` and the setting's name."""

    def run(name: str) -> str:
        return f"touch {mark}-{name}; cat"

    return {
        "core.fsmonitor": run("fsmonitor"),
        "filter.x.clean": run("clean"),
        "filter.x.smudge": run("smudge"),
        "filter.x.process": run("process"),
        "core.sshCommand": run("ssh"),
        "core.pager": run("pager"),
        "core.editor": run("editor"),
        "core.askPass": run("askpass"),
        "core.gitProxy": run("proxy"),
        "credential.helper": "!" + run("credential"),
        "diff.external": run("external-diff"),
        "diff.x.textconv": run("textconv"),
        "diff.x.command": run("diff-command"),
        "gpg.program": run("gpg"),
        "commit.gpgSign": "true",
        "remote.evil.promisor": "true",
        "remote.evil.url": f"ext::sh -c touch% {mark}-remote",
        "protocol.ext.allow": "always",
        "extensions.partialClone": "evil",
        "core.repositoryFormatVersion": "1",
        "user.name": "a",
        "user.email": "a@b",
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "checkout"
    (top / "web").mkdir(parents=True)
    (top / "web" / "Dockerfile").write_bytes(BEFORE)
    (top / ".gitattributes").write_bytes(b"Dockerfile filter=x diff=x\n")
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "start")
    return top


def marks(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.glob("RAN*"))


def make_hostile(top: Path, mark: Path) -> None:
    for name, value in hostile(mark).items():
        git(top, "config", name, value)
    hooks = top / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}-hook-{name}\n")
        (hooks / name).chmod(0o755)


def test_settings_hooks_and_filters(tmp_path: Path, checkout: Path) -> None:
    make_hostile(checkout, tmp_path / "RAN")
    done = dfopt("migrate", "apply", "--branch", "dfopt", ".", cwd=checkout, driven=False)
    assert done.returncode in (0, 1), done.stderr
    assert b"not installed" not in done.stderr
    assert marks(tmp_path) == []
    assert (checkout / ".git" / "refs" / "heads" / "dfopt" / "all").exists(), done.stderr
    # the trap works: git itself runs what the configuration names
    (checkout / "web" / "Dockerfile").write_bytes(BEFORE + b"#\n")
    subprocess.run(["git", "-C", str(checkout), "status"], capture_output=True, check=False, timeout=60)
    assert marks(tmp_path) != []


def test_a_bare_repository_inside(tmp_path: Path, checkout: Path) -> None:
    evil = checkout / "evil"
    evil.mkdir()
    (evil / "Dockerfile").write_bytes(BEFORE)
    for name in ("HEAD", "objects", "refs"):
        source = checkout / ".git" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, evil / name)
    (evil / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n"
        f'\tfsmonitor = "touch {tmp_path}/RAN-fsmonitor; false"\n'
        f'[filter "x"]\n\tclean = "touch {tmp_path}/RAN-filter; cat"\n'
    )
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "evil")
    done = dfopt("migrate", "apply", "--by", "directory", "--branch", "dfopt", ".", cwd=checkout, driven=False,
                 env={"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
                      "GIT_COMMITTER_EMAIL": "a@b"})  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert marks(tmp_path) == []
    assert git(checkout, "branch", "--list", "dfopt/*").split() == ["dfopt/evil", "dfopt/web"]


def test_a_work_tree_elsewhere(tmp_path: Path, checkout: Path) -> None:
    git(checkout, "config", "core.worktree", str(tmp_path))
    done = dfopt("migrate", "apply", "--branch", "dfopt", ".", cwd=checkout, driven=False)
    assert done.returncode == 2
    assert b"is not the top of a checkout" in done.stderr


def test_the_environment_of_a_hook(tmp_path: Path, checkout: Path) -> None:
    """A hook has GIT_DIR and more set; GIT_* may name programs, too."""
    for name, value in (("user.name", "a"), ("user.email", "a@b")):
        git(checkout, "config", name, value)
    hooked = {
        "GIT_DIR": str(tmp_path / "nowhere"), "GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_WORK_TREE": "/",
        "GIT_EXTERNAL_DIFF": f"touch {tmp_path}/RAN-diff", "GIT_PAGER": f"touch {tmp_path}/RAN-pager",
        "GIT_EXEC_PATH": str(tmp_path), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": f"touch {tmp_path}/RAN-fsmonitor",
    }  # fmt: skip
    done = dfopt("migrate", "apply", "--branch", "dfopt", ".", cwd=checkout, driven=False, env=hooked)
    assert done.returncode in (0, 1), done.stderr
    assert git(checkout, "branch", "--list", "dfopt/*").split() == ["dfopt/all"]
    assert marks(tmp_path) == []
    assert not os.path.exists(tmp_path / "index")


def test_newlines_that_git_converts(checkout: Path) -> None:
    for name, value in (("user.name", "a"), ("user.email", "a@b"), ("core.autocrlf", "true")):
        git(checkout, "config", name, value)
    (checkout / "web" / "Dockerfile").write_bytes(BEFORE.replace(b"\n", b"\r\n"))
    done = dfopt("migrate", "apply", "--branch", "dfopt", ".", cwd=checkout, driven=False)
    assert done.returncode in (0, 1), done.stderr
    assert "\r" not in git(checkout, "cat-file", "blob", "dfopt/all:web/Dockerfile")
