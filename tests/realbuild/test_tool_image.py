"""The image of dfopt, built from the project's own Dockerfile: it runs as its user, and does its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.version import version

from .engine import Engine
from .image import images_of

ROOT = Path(__file__).parents[2]
DOCKERFILE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl\n"


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    return engine.build(ROOT, (ROOT / "Dockerfile").read_bytes(), timeout=900)


def test_it_works(engine: Engine, image: str) -> None:
    done = engine.run(image, f"id -u && dfopt --version && printf '{DOCKERFILE}' | dfopt fix --select apt-cleanup -")
    assert done.stdout.decode().startswith(f"10001\ndfopt {version()}\nFROM debian:13-slim\n"), done.stderr
    assert b"rm -rf /var/lib/apt/lists/*" in done.stdout


def test_no_setuid_program_is_left(engine: Engine, image: str) -> None:
    done = engine.run(image, "find / -xdev -perm /6000 -type f 2>/dev/null; test -u /bin/su || echo stripped")
    assert done.stdout == b"stripped\n"


def test_configuration(engine: Engine, image: str) -> None:
    archive = engine.save(image)
    try:
        (facts,) = images_of(archive)
    finally:
        archive.unlink()
    assert facts.config["config"]["Entrypoint"] == ["dfopt"]
    assert facts.config["config"]["User"] == "10001"
    assert facts.config["config"]["WorkingDir"] == "/work"
