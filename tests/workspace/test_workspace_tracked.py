"""What git tracks, read from its index: git itself is the judge."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from dfopt.workspace import children, image_builds, parent_files
from dfopt.workspace.tracked_files import in_order_of_walk, tracked_files

SETTINGS = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "core.fsmonitor=false")


def git(top: Path, *words: str) -> bytes:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", *SETTINGS, *words], cwd=top, check=True, capture_output=True, env=environment).stdout


def listed(top: Path) -> list[str]:
    return [os.fsdecode(name) for name in git(top, "ls-files", "-z").split(b"\0") if name]


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A checkout whose names have each length modulo 8, and one that is too long for its field."""
    git(tmp_path, "init", "-q")
    for number in range(20):
        put(tmp_path / ("a" * number + "b") / "Dockerfile")
        put(tmp_path / "deep" / ("x" * number + "é ") / "y")
    put(tmp_path.joinpath(*["long" * 50] * 15, "last"))
    put(tmp_path / "untracked" / "Dockerfile")
    git(tmp_path, "add", "--all", ":!untracked")
    return tmp_path


def every_tracked_file(top: Path) -> list[str] | None:
    return tracked_files(str(top), lambda path: True)


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_it_is_what_git_lists(top: Path, version: str) -> None:
    if version == "3":  # git writes it for what needs its flags
        git(top, "add", "--intent-to-add", "untracked")
    else:
        git(top, "update-index", "--index-version", version)
    data = (top / ".git" / "index").read_bytes()
    assert data[4:8] == int(version).to_bytes(4, "big")
    assert every_tracked_file(top) == listed(top)
    assert len(listed(top)) > 40


def test_a_file_with_several_versions_is_one(top: Path) -> None:
    blob = (
        git(top, "hash-object", "-w", "--stdin-paths").decode()
        or git(top, "hash-object", "-w", "b/Dockerfile").decode()
    )
    lines = "".join(f"100644 {blob.strip()} {stage}\tconflict\n" for stage in (1, 2, 3))
    subprocess.run(["git", "update-index", "--index-info"], cwd=top, input=lines.encode(), check=True)
    names = every_tracked_file(top)
    assert names is not None
    assert names.count("conflict") == 1


def test_what_lists_only_a_part_is_none(top: Path) -> None:
    git(top, "commit", "-qm", "x")
    git(top, "update-index", "--split-index")
    assert every_tracked_file(top) is None
    git(top, "update-index", "--no-split-index")
    assert every_tracked_file(top) == listed(top)
    git(top, "sparse-checkout", "set", "--cone", "--sparse-index", "b")
    assert b"sdir" in (top / ".git" / "index").read_bytes()
    assert every_tracked_file(top) is None


def test_what_is_no_index_is_none(top: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = top / ".git" / "index"
    whole = place.read_bytes()
    chance = random.Random(1)
    for length in [*range(120), *(chance.randrange(len(whole)) for _ in range(200))]:
        place.write_bytes(whole[:length])
        assert every_tracked_file(top) is None
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        place.write_bytes(damaged)
        every_tracked_file(top)  # anything, but no exception
    place.write_bytes(b"DIRC\0\0\0\2\xff\xff\xff\xff" + bytes(200))
    assert every_tracked_file(top) is None
    place.unlink()
    assert every_tracked_file(top) is None
    os.mkfifo(place)
    assert every_tracked_file(top) is None
    other = tmp_path_factory.mktemp("other")
    (other / ".git").symlink_to(top / ".git")
    assert every_tracked_file(other) is None


def test_the_wanted_are_asked_for(top: Path) -> None:
    asked: list[str] = []

    def wanted(path: str) -> bool:
        asked.append(path)
        return path.endswith("Dockerfile")

    assert tracked_files(str(top), wanted) == [path for path in listed(top) if path.endswith("Dockerfile")]
    assert asked == listed(top)


def test_the_order_is_that_of_a_walk(top: Path) -> None:
    for name in ("a-b/c", "a/z", "a.b", "a/b/c", "a/b.c", "A/x", "deep/Dockerfile"):
        put(top / name)
    git(top, "add", "--all")
    walked: list[str] = []
    for directory, directories, files in os.walk(top):
        directories[:] = sorted(name for name in directories if name != ".git")
        walked += [os.path.relpath(os.path.join(directory, name), top) for name in sorted(files)]
    names = every_tracked_file(top)
    assert names is not None
    assert in_order_of_walk(names) == walked


def test_no_directory_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "base" / "Dockerfile", "FROM debian:13\n")
    put(tmp_path / "platform" / "Dockerfile", "FROM debian:13\n")
    put(tmp_path / "user" / "Dockerfile", "FROM org/platform\n")
    put(tmp_path / "node_modules" / "x" / "Dockerfile", "FROM org/platform\n")
    put(tmp_path / "compose.yaml", "services: {a: {build: base, image: org/stated}}\n")
    put(tmp_path / "other" / "Dockerfile", "FROM org/stated\n")

    def facts() -> tuple[object, object, object]:
        for known in (children._trees, parent_files._trees, image_builds._trees):
            known.clear()
        top = str(tmp_path)
        return (
            children.children_of(str(tmp_path / "platform" / "Dockerfile"), top),
            parent_files.parent_of(str(tmp_path / "user" / "Dockerfile"), top, "org/platform"),
            parent_files.parent_of(str(tmp_path / "other" / "Dockerfile"), top, "org/stated"),
        )

    walked = facts()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    monkeypatch.setattr(os, "walk", None)
    assert facts() == walked
    assert all(walked)
    assert len(walked[0]) == 1  # type: ignore[arg-type]
    put(tmp_path / "new" / "Dockerfile", "FROM org/platform\n")
    assert facts() == walked
    git(tmp_path, "add", "--all")
    assert len(facts()[0]) == 2  # type: ignore[arg-type]
