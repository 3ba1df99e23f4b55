"""The trees of branches are those that git itself makes of the same files, in a number of processes that stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from campaign.conftest import git
from dfopt.campaign.git_trees import HeadTrees, write_blobs
from dfopt.campaign.groups import slug_of
from dfopt.workspace.git import Checkout, GitError

NAMES = (
    "Dockerfile", "a/Dockerfile", "a/b/c/d/Dockerfile", "a.b/Dockerfile", "a/b.c", "a-b", "with blank/Dockerfile",
    'quote"d/Dockerfile', "new\nline/Docker\nfile", "tab\t/Dockerfile", "grün/Dockerfile", "-dash/--all",
)  # fmt: skip


def repository(top: Path, *options: str) -> Checkout:
    top.mkdir()
    git(top, "init", "-q", "-b", "main", *options)
    for name in NAMES:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(name.encode())
    (top / "a" / "Dockerfile").chmod(0o755)
    (top / "a" / "link").symlink_to("b.c")
    git(top, "add", "-A")
    elsewhere = git(top, "hash-object", "-t", "commit", "--literally", "/dev/null").strip()
    git(top, "update-index", "--add", "--cacheinfo", "160000", elsewhere, "module")
    git(top, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "start")
    return Checkout(str(top))


def head(checkout: Checkout) -> str:
    return checkout.git("rev-parse", "HEAD").decode().strip()


def changed(checkout: Checkout, *groups: tuple[str, ...]) -> list[str]:
    """The trees with new contents of the files of each group."""
    trees = HeadTrees(checkout, head(checkout), NAMES)
    write_blobs(checkout, (f"new {name}".encode() for name in NAMES))
    return trees.with_blobs([{name: trees.blob_name(f"new {name}".encode()) for name in group} for group in groups])


def tree_of_git(top: Path, names: tuple[str, ...]) -> str:
    """The tree that git makes with those contents in its index, which is reset."""
    for name in names:
        (top / name).write_bytes(f"new {name}".encode())
        git(top, "add", "--", name)
    tree = git(top, "write-tree").strip()
    git(top, "reset", "-q", "--hard")
    return tree


@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_trees_are_those_of_git(tmp_path: Path, format: str) -> None:
    checkout = repository(tmp_path / "top", f"--object-format={format}")
    groups = [NAMES[:1], NAMES[1:4], NAMES[2:], NAMES, *((name,) for name in NAMES)]
    trees = changed(checkout, *groups)
    assert trees == [tree_of_git(tmp_path / "top", group) for group in groups]
    for tree in trees:
        checkout.git("ls-tree", "-r", tree)
    checkout.git("fsck", "--strict", "--no-dangling")


def test_entries(tmp_path: Path) -> None:
    checkout = repository(tmp_path / "top")
    trees = HeadTrees(checkout, head(checkout), [*NAMES, "a/link", "module/x", "nowhere/x/y", "a-b/x"])
    modes = {name: entry.mode if (entry := trees.entry(name)) else "" for name in ("a/Dockerfile", "a-b", "a/link")}
    assert modes == {"a/Dockerfile": "100755", "a-b": "100644", "a/link": "120000"}
    assert [trees.entry(name) for name in ("module/x", "nowhere/x/y", "a-b/x", "a/x", "x")] == [None] * 5
    entry = trees.entry(NAMES[8])
    assert entry is not None
    assert entry.name == trees.blob_name(NAMES[8].encode())


def test_a_damaged_tree_is_an_error(tmp_path: Path) -> None:
    checkout = repository(tmp_path / "top")
    for content in (b"100644 a", b"100644 a\0short", b"x", b"\0" * 30):
        tree = checkout.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=content).decode().strip()
        commit = checkout.git(
            "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-m", "x"
        ).decode().strip()  # fmt: skip
        with pytest.raises(GitError):
            HeadTrees(checkout, commit, ["a"])


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of git that were started."""
    started: list[str] = []
    run = subprocess.Popen

    class Counted(run):  # type: ignore[valid-type, misc]
        def __init__(self, words: list[str], *rest: object, **options: object) -> None:
            started.extend(words[:1])
            super().__init__(words, *rest, **options)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    return started


def test_processes_do_not_grow_with_files_and_branches(tmp_path: Path, processes: list[str]) -> None:
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    names = [f"{number % 9}/{number}/Dockerfile" for number in range(90)]
    for name in names:
        (top / name).parent.mkdir(parents=True)
        (top / name).write_text(name)
    git(top, "add", "-A")
    git(top, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "start")
    checkout = Checkout(str(top))
    commit = head(checkout)
    counts = []
    for wanted in (names[:1], names):
        processes.clear()
        trees = HeadTrees(checkout, commit, wanted)
        write_blobs(checkout, (b"new " + os.fsencode(name) for name in wanted))
        trees.with_blobs([{name: trees.blob_name(b"new " + os.fsencode(name))} for name in wanted])
        counts.append(processes.count("git"))
    assert counts == [7, 7]  # three levels of directories, read and made, and the contents


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("a/b", "a-b"),
        ("..", "root"),
        ("a..b", "a.b"),
        ("x.lock", "x"),
        ("x.lock.lock", "x"),
        ("a" * 79 + ".b", "a" * 79),
        ("a" * 75 + ".lock.lock", "a" * 75),
    ],
)
def test_slugs_are_names_of_branches(tmp_path: Path, label: str, slug: str) -> None:
    assert slug_of(label) == slug
    git(tmp_path, "check-ref-format", "--branch", f"dfopt/{slug}")
