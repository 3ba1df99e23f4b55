"""`dfopt dockerignore`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli.running import dfopt
from dfopt.record import Record


class Done(Record):
    status: int
    out: str
    err: str


def run(*words: str) -> Done:
    done = dfopt(*words, cwd=Path.cwd(), driven=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, ".git/HEAD", "src/a.py", "src/__pycache__/a.pyc", ".env")
    (tmp_path / "Dockerfile").write_text("FROM python:3\nCOPY . /app\n")
    return tmp_path


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


NEW = """\
# version control
.git

# caches
**/__pycache__

# the build itself
.dockerignore
Dockerfile
"""


def test_diff_of_a_new_file(tree: Path) -> None:
    done = run("dockerignore")
    assert done.status == 1
    assert done.out.startswith("--- /dev/null\n+++ b/.dockerignore\n@@ -0,0 +1,")
    assert [line[1:] for line in done.out.splitlines()[3:]] == NEW.splitlines()
    assert "needs --unsafe: Dockerfile:2 brings it into the image" in done.err
    assert not (tree / ".dockerignore").exists()
    subprocess.run(["git", "apply", "-"], input=done.out.encode(), check=True, cwd=tree)
    assert (tree / ".dockerignore").read_text() == NEW


def test_write_and_again(tree: Path) -> None:
    done = run("dockerignore", "--write")
    assert (done.status, done.out) == (0, "")
    assert "wrote .dockerignore (4 patterns)" in done.err
    assert (tree / ".dockerignore").read_text() == NEW
    again = run("dockerignore", "--write", "--quiet")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert (tree / ".dockerignore").read_text() == NEW


def test_lines_and_mode_of_the_user_stay(tree: Path) -> None:
    file = tree / ".dockerignore"
    file.write_bytes(b"# mine\r\n*.log\r\n!keep.log")
    file.chmod(0o640)
    assert run("dockerignore", "--write", "--unsafe").status == 0
    text = file.read_bytes()
    assert text.startswith(b"# mine\r\n*.log\r\n!keep.log\r\n\r\n# version control\r\n.git\r\n")
    assert b"\r\n# secrets\r\n.env\r\n" in text
    assert file.stat().st_mode & 0o777 == 0o640


def test_the_file_of_one_dockerfile(tree: Path) -> None:
    put(tree, "Dockerfile.dockerignore")
    (tree / "Dockerfile.dockerignore").write_text("src\n")
    assert run("dockerignore", "--write", "Dockerfile").status == 0
    assert (tree / "Dockerfile.dockerignore").read_text().startswith("src\n\n# version control\n.git\n")
    assert not (tree / ".dockerignore").exists()


def test_all_dockerfiles_of_the_context_count(tree: Path) -> None:
    put(tree, "deploy/x")
    (tree / "deploy" / "prod.Dockerfile").write_text("FROM a\nCOPY src /src\nCOPY .git/HEAD /version\n")
    done = run("dockerignore", "Dockerfile", "--explain")
    assert ".git (version control) stays: deploy/prod.Dockerfile:3 names it" in done.err
    assert "+.git" not in done.out


def test_left_alone(tree: Path) -> None:
    (tree / "Dockerfile").write_text("FROM a\nARG X\nCOPY $X /\n")
    done = run("dockerignore")
    assert (done.status, done.out) == (0, "")
    assert ".dockerignore: left alone: Dockerfile:3: what $X names is not known" in done.err
    (tree / "Dockerfile").write_text("FROM a\nCOPY nowhere /\n")
    done = run("dockerignore")
    assert (done.status, done.out) == (0, "")
    assert "Dockerfile: the build context is unknown; set it with --context" in done.err
    done = run("dockerignore", "--context", "src")
    assert done.status == 1
    assert "src/.dockerignore" in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-",), "has no build context"),
        (("--context", "nowhere"), 'no such directory: "nowhere"'),
        (("nowhere",), "nowhere: No such file"),
    ],
)
def test_errors(tree: Path, words: tuple[str, ...], message: str) -> None:
    done = run("dockerignore", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_a_broken_dockerfile_does_not_end_the_run(tree: Path) -> None:
    put(tree, "a/x", "b/.git/HEAD")
    (tree / "a" / "Dockerfile").write_text("nonsense\n")
    (tree / "b" / "Dockerfile").write_text("FROM a\nCOPY . /\n")
    done = run("dockerignore", "a", "b")
    assert done.status == 2
    assert "a/Dockerfile" in done.err
    assert "+.git" in done.out


def test_a_link_is_not_replaced(tree: Path) -> None:
    put(tree, "other")
    os.symlink("other", tree / ".dockerignore")
    done = run("dockerignore", "--write")
    assert done.status == 2
    assert "not written: it is a symbolic link" in done.err
    assert (tree / "other").read_text() == "other"
