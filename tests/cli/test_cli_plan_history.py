"""`dfopt plan --git-history`: how often installs run anew for the commits of a real checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCKERFILE = """\
FROM debian:13 AS docs
COPY docs /docs
RUN apt-get update && apt-get install -y pandoc && pandoc /docs/a.md -o /a.html

FROM node:24
WORKDIR /app
COPY . .
RUN npm ci
COPY --from=docs /a.html /app/
CMD ["node", "index.js"]
"""
PACKAGE = '{"name": "a", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}'
LOCK = (
    '{"name": "a", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {"": {"name": "a",'
    ' "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}, "node_modules/left-pad": {"version": "1.3.0",'
    ' "resolved": "https://example.org/left-pad/-/left-pad-1.3.0.tgz", "integrity": "sha512-AA=="}}}'
)


def git(top: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *words], cwd=top, check=True,
        capture_output=True,
    )  # fmt: skip


def commit(top: Path, **files: str) -> None:
    for name, text in files.items():
        path = top / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(top, "add", "-A", "-f")
    git(top, "commit", "-q", "-m", "change")


def plan(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dfopt", "plan", *arguments], cwd=tree, text=True, capture_output=True, check=False
    )


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service in a directory of its repository, with six commits: to begin with, two to its sources, one to its
    manifest, one to its documents, one to what .dockerignore leaves out, and one elsewhere."""
    git(tmp_path, "init", "-q", ".")
    top = tmp_path / "services" / "ä b"
    top.mkdir(parents=True)
    (top / "Dockerfile").write_text(DOCKERFILE)
    (top / ".dockerignore").write_text("node_modules\n*.log\nDockerfile\n.dockerignore\n")
    commit(top, package_json=PACKAGE, index_js="1", docs__a_md="a")
    (top / "package-lock.json").write_text(LOCK)
    commit(top, index_js="2")
    commit(top, index_js="3")
    commit(top, package_json=PACKAGE + "\n")
    commit(top, docs__a_md="b")
    commit(top, debug_log="b")
    commit(tmp_path, README_md="b")
    return top


def test_commits_that_install_anew(service: Path) -> None:
    done = plan(service, "--git-history", "100", "--output-format", "json", "Dockerfile")
    assert done.returncode == 0, done.stderr
    (file,) = json.loads(done.stdout)["files"]
    history = file["git_history"]
    assert history["commits"] == 6  # the one elsewhere is none of them
    # now: all but the log; apt-get for the first and for the documents. Then the manifests alone make npm run anew: the
    # first commit, the one that brought the lock file, the one that changed package.json
    assert history["installs"]["npm"] == {"now": 5, "1": 3, "2": 3, "3": 3}
    assert {history["installs"]["apt-get"][level] for level in ("now", "1")} == {2}


def test_text_page_and_comment_say_the_same(service: Path) -> None:
    told = plan(service, "--git-history", "2", "--html", "plan.html", "Dockerfile").stdout
    sentence = "Of the last 2 commits to the build context, so many make installs run anew: apt-get 1 now"
    assert sentence in told
    assert sentence in (service / "plan.html").read_text()
    assert sentence in plan(service, "--git-history", "2", "--output-format", "markdown", "Dockerfile").stdout
    assert "commits to the build context" not in plan(service, "Dockerfile").stdout


def test_without_a_history(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    done = plan(tmp_path, "--git-history", "10", "--context", ".", "Dockerfile")
    assert done.returncode == 0
    assert "Dockerfile: no git history: no commit of a git checkout changed its build context" in done.stderr
    git(tmp_path, "init", "-q", ".")
    done = plan(tmp_path, "--git-history", "10", "--context", ".", "Dockerfile")
    assert done.returncode == 0
    assert "Dockerfile: no git history: " in done.stderr  # a checkout without a commit
    assert "Traceback" not in done.stderr
    assert plan(tmp_path, "--git-history", "0", "Dockerfile").returncode == 2


def test_programs_that_the_checkout_names_do_not_run(service: Path, tmp_path: Path) -> None:
    """Settings of the repository that make `git log` and `git diff` start programs."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    trap.chmod(0o755)
    for setting in ("gpg.program", "diff.external", "core.fsmonitor", "diff.x.textconv", "diff.x.command"):
        git(tmp_path, "config", setting, str(trap))
    git(tmp_path, "config", "log.showSignature", "true")
    (tmp_path / ".git" / "info" / "attributes").write_text("* diff=x\n")
    done = plan(service, "--git-history", "10", "Dockerfile")
    assert "commits to the build context" in done.stdout, done.stderr
    assert not (tmp_path / "ran").exists()
