"""`dfopt pin` and what comes of it: a registry whose tag moves, files and source policies that do not move with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry.servers import Answer, FakeServer, digest, docker_registry

from .engine import Engine, EngineError, PrivateEngine
from .plugin import require

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def registry(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require("docker-registry")
    folder = tmp_path_factory.mktemp("registry")
    with docker_registry(folder, folder / "data") as host:
        yield host


@pytest.fixture
def move(engine: Engine, registry: str, tmp_path: Path) -> Callable[[str, str], None]:
    """Makes a tag of the registry name an image whose /which holds a word; the engine itself keeps none."""

    def moved(tag: str, word: str) -> None:
        (tmp_path / "made").mkdir(exist_ok=True)
        image = engine.build(tmp_path / "made", f"FROM busybox\nRUN echo {word} >/which\n".encode())
        name = f"{registry}/{tag}"
        engine._docker(["tag", image, name], timeout=60)
        engine._docker(["push", "--quiet", name], timeout=120)
        engine._docker(["image", "rm", name], timeout=60)
        engine.remove(image)

    return moved


def pin(tree: Path, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "pin", *args], cwd=tree, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tree)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def which(engine: Engine, tree: Path, policy: Path | None = None) -> bytes:
    """What /which holds in an image that is built from the Dockerfile of now."""
    before = dict(engine._env)
    if policy is not None:
        engine._env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"] = str(policy)
    try:
        image = engine.build(tree, (tree / "Dockerfile").read_bytes())
    finally:
        engine._env.clear()
        engine._env.update(before)
    try:
        return engine.run(image, "cat /which /copied /file 2>/dev/null; true").stdout
    finally:
        engine.remove(image)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def test_a_pinned_file_stays_where_its_tag_was(
    engine: Engine, registry: str, move: Callable[[str, str], None], tree: Path
) -> None:
    move("app:1", "first")
    move("tools:latest", "tool")
    file = tree / "Dockerfile"
    text = (
        f"ARG TAG=1\nFROM {registry}/app:$TAG\nCOPY --from={registry}/tools /which /copied\n"
        f"RUN --mount=from={registry}/tools:latest,target=/m test -f /m/which\n"
    )
    file.write_text(text)
    assert which(engine, tree) == b"first\ntool\n"
    pin(tree, "--write")
    assert file.read_text().count("@sha256:") == 3
    assert which(engine, tree) == b"first\ntool\n"
    move("app:1", "second")
    move("tools:latest", "other")
    assert which(engine, tree) == b"first\ntool\n"
    pinned = file.read_text()
    file.write_text(text)
    assert which(engine, tree) == b"second\nother\n"
    pin(tree, "--write", "--offline")
    assert file.read_text() == pinned
    pin(tree, "--write", "--update")
    assert which(engine, tree) == b"second\nother\n"


def test_a_source_policy_pins_a_file_that_it_leaves_alone(
    engine: Engine, registry: str, move: Callable[[str, str], None], tree: Path
) -> None:
    served = [b"served\n"]
    server = FakeServer(lambda _: Answer(200, {}, served[0]))
    try:
        move("policy:1", "first")
        file, policy = tree / "Dockerfile", tree / "policy.json"
        text = f"ARG NAME=policy\nFROM {registry}/$NAME:1\nADD {server.url}/file /file\n"
        file.write_text(text)
        pin(tree, "--source-policy", "policy.json", "--downloads")
        assert digest(served[0]) in policy.read_text()
        move("policy:1", "second")
        assert which(engine, tree) == b"second\nserved\n"
        assert which(engine, tree, policy) == b"first\nserved\n"
        assert file.read_text() == text
        good = policy.read_text()
        policy.write_text(good.replace(digest(served[0]), digest(b"other")))
        with pytest.raises(EngineError, match="digest mismatch"):
            which(engine, tree, policy)
        served[0] = b"changed\n"
        pin(tree, "--source-policy", "policy.json", "--downloads", "--update")
        assert which(engine, tree, policy) == b"second\nchanged\n"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def mirrored(may_start_engine: None, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of its own that takes images of Docker Hub from the registry."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="dfopt-") as home:
        patch.setenv("DFOPT_REALBUILD_HOME", home)
        options = f"--registry-mirror=http://{registry} --insecure-registry={registry}"
        patch.setenv("DFOPT_DOCKERD_OPTIONS", options)
        private = PrivateEngine()
        try:
            found = Engine(private.start(bases=()))
            try:
                yield found
            finally:
                found.close()
        finally:
            private.stop()


def test_images_of_docker_hub_by_a_mirror(
    mirrored: Engine, registry: str, move: Callable[[str, str], None], tree: Path
) -> None:
    """The names that most files use: pinned by way of a mirror, and built by an engine that has the same one."""
    move("library/busybox:1.37", "first")
    file, policy = tree / "Dockerfile", tree / "policy.json"
    text = "FROM busybox:1.37\nRUN cp /which /copied\n"
    file.write_text(text)
    pin(tree, "--write", "--registry-mirror", registry)
    assert file.read_text().startswith("FROM busybox:1.37@sha256:")
    assert 'reference = "docker.io/library/busybox:1.37"' in (tree / "dfopt.lock").read_text()
    move("library/busybox:1.37", "second")
    assert which(mirrored, tree) == b"first\nfirst\n"
    file.write_text(text)
    pin(tree, "--source-policy", "policy.json", "--offline")
    assert which(mirrored, tree, policy) == b"first\nfirst\n"
    assert which(mirrored, tree) == b"second\nsecond\n"
