"""Which files of a tree may be built on the image of another one: by names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from dfopt.workspace import children
from dfopt.workspace.facts import AskedFacts, ContextFacts, JoinedFacts

BASE = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/t/docker/base-image/Dockerfile", {"base-image"}),
        ("/t/Base/Dockerfile", {"base"}),
        ("/t/images/docker/tools.Dockerfile", {"tools"}),
        ("/t/images/docker/Dockerfile.tools", {"tools"}),
        ("/t/runner/Containerfile.big", {"runner", "big"}),
        ("/t/docker/Dockerfile", set()),
        ("/t/1.2.3/Dockerfile", set()),
    ],
)
def test_names(path: str, names: set[str]) -> None:
    assert children.names_of(path) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("FROM a/b/base:1\nFROM base2@sha256:1 AS x\n", {"base", "base2"}),
        ("from --platform=linux/amd64 localhost:5000/Tools\n", {"tools"}),
        ("ARG R\nFROM $R/base-image:$TAG\n", {"base-image"}),
        ("FROM $parent\n# FROM other\n", set()),
    ],
)
def test_images(text: str, names: set[str]) -> None:
    assert children.image_names(text) == names


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    children._trees.clear()
    for name, text in (
        ("docker/base-image/Dockerfile", BASE),
        ("docker/other/Dockerfile", BASE),
        ("fuzzers/a/runner.Dockerfile", b"FROM gcr.io/x/base-image\nRUN apt-get install -y gcc\n"),
        ("fuzzers/b/Dockerfile", b"FROM gcr.io/x/base-image\nRUN apt-get update && apt-get install -y gcc\n"),
        ("fuzzers/b/notes.md", b"FROM gcr.io/x/base-image\n"),
        ("node_modules/c/Dockerfile", b"FROM base-image\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)
    return tmp_path


def facts(tree: Path, name: str) -> AskedFacts:
    path = str(tree / name)
    return AskedFacts(JoinedFacts((ContextFacts(path, str(tree), Source.from_bytes(BASE, path)),)))


def test_files_of_the_tree(tree: Path) -> None:
    found = children.children_of(str(tree / "docker/base-image/Dockerfile"), str(tree))
    assert found is not None
    assert [one.name for one in found] == ["fuzzers/a/runner.Dockerfile", "fuzzers/b/Dockerfile"]
    assert children.children_of(str(tree / "docker/other/Dockerfile"), str(tree)) == ()
    assert children.children_of(str(tree / "docker/Dockerfile"), str(tree)) is None


def test_a_file_is_no_child_of_its_own(tree: Path) -> None:
    file = tree / "self" / "Dockerfile"
    file.parent.mkdir()
    file.write_bytes(b"FROM hub.example.org/self\n")
    assert children.children_of(str(file), str(tree)) == ()


def test_another_repository_is_not_searched(tree: Path) -> None:
    (tree / "docker" / ".git").mkdir()
    assert children.children_of(str(tree / "docker/base-image/Dockerfile"), str(tree)) == ()


def test_too_large_a_tree(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "MOST_DIRECTORIES", 2)
    assert children.children_of(str(tree / "docker/base-image/Dockerfile"), str(tree)) is None


def test_the_index_stays_for_who_needs_it(tree: Path) -> None:
    options = Options(("apt-cleanup",))
    asked = facts(tree, "docker/base-image/Dockerfile")
    result = optimize(asked.inner.parts[0].source, options, asked)  # type: ignore[attr-defined]
    assert not result.changed
    assert [one.reason.partition(" may ")[0] for one in result.reported] == ["fuzzers/a/runner.Dockerfile (line 2)"]
    assert asked.asked
    asked = facts(tree, "docker/other/Dockerfile")
    assert optimize(asked.inner.parts[0].source, options, asked).changed  # type: ignore[attr-defined]
    assert asked.asked


def test_a_file_without_a_name_asks_nothing(tree: Path) -> None:
    asked = facts(tree, "docker/Dockerfile")
    assert optimize(asked.inner.parts[0].source, Options(("apt-cleanup",)), asked).changed  # type: ignore[attr-defined]
    assert not asked.asked


def test_a_child_is_read_again_only_where_it_changed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, runner = str(tree / "docker/base-image/Dockerfile"), tree / "fuzzers/a/runner.Dockerfile"
    before = children.children_of(base, str(tree))
    assert before is not None
    read: list[str] = []

    def reading(file: str) -> str | None:
        read.append(file)
        return read_dockerfile(file)

    read_dockerfile = children.read_dockerfile
    monkeypatch.setattr(children, "read_dockerfile", reading)
    assert children.children_of(base, str(tree)) == before
    assert read == []
    runner.write_bytes(b"FROM gcr.io/x/base-image\nRUN apt-get update && apt-get install -y g++\n")
    after = children.children_of(base, str(tree))
    assert after is not None
    assert (read, "g++" in after[0].text, after[1:]) == ([str(runner)], True, before[1:])
    options, asked = Options(("apt-cleanup",)), facts(tree, "docker/base-image/Dockerfile")
    assert optimize(asked.inner.parts[0].source, options, asked).changed  # type: ignore[attr-defined]
