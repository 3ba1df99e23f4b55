"""Which Dockerfile of a tree builds a base image, by names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.workspace import children, parent_files
from dfopt.workspace.parent_files import parent_of


@pytest.fixture(autouse=True)
def forget() -> None:
    """Trees are remembered for a while; each test has one of its own."""
    parent_files._trees.clear()
    children._trees.clear()


def tree(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def asked(root: Path, image: str) -> str | None:
    (root / "app").mkdir(exist_ok=True)
    own = root / "app" / "Dockerfile"
    own.write_text(f"FROM {image}\n", encoding="utf-8")
    parent = parent_of(str(own), str(root), image)
    return parent.text if parent is not None else None


@pytest.mark.parametrize(
    ("file", "image"),
    [
        ("php/Dockerfile", "org/php:8.3"),
        ("php/8.3/Dockerfile", "org/php:8.3"),
        ("php-8.3/Dockerfile", "org/php:8.3"),
        ("php/Dockerfile.8.3", "org/php:8.3"),
        ("images/Dockerfile.php", "registry.example.com/org/php"),
        ("images/php.Dockerfile", "org/php@sha256:" + "0" * 64),
        ("my-base/Containerfile", "my-base"),
        ("Base-Image/Dockerfile", "org/base-image:latest"),
    ],
)
def test_found(tmp_path: Path, file: str, image: str) -> None:
    tree(tmp_path, **{file: "FROM debian:13\n"})
    assert asked(tmp_path, image) == "FROM debian:13\n"


@pytest.mark.parametrize(
    ("files", "image"),
    [
        (["php/Dockerfile"], "php:8.3"),  # Docker Hub's own, as likely as not
        (["php/8.2/Dockerfile"], "org/php:8.3"),
        (["php/Dockerfile", "images/php.Dockerfile"], "org/php"),
        (["docker/Dockerfile"], "org/docker"),  # a directory that is called so everywhere
        (["eclipse-temurin/Dockerfile"], "eclipse-temurin:21"),
    ],
)
def test_not_found(tmp_path: Path, files: list[str], image: str) -> None:
    tree(tmp_path, **dict.fromkeys(files, "FROM debian:13\n"))
    assert asked(tmp_path, image) is None


def test_a_tag_of_its_own_goes_before_the_name(tmp_path: Path) -> None:
    tree(tmp_path, **{"php/Dockerfile": "FROM debian:13\n", "php/8.3/Dockerfile": "FROM alpine:3.22\n"})
    assert asked(tmp_path, "org/php:8.3") == "FROM alpine:3.22\n"
    assert asked(tmp_path, "org/php:8.2") == "FROM debian:13\n"


def test_what_starts_from_the_image_does_not_build_it(tmp_path: Path) -> None:
    tree(tmp_path, **{"grafana/Dockerfile": "FROM grafana/grafana:11\n"})
    assert asked(tmp_path, "grafana/grafana:12") is None


def test_no_tree(tmp_path: Path) -> None:
    assert parent_of("-", "", "org/php") is None
