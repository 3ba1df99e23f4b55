"""cache-mounts by real builds: the package manager fills the mount, finds it again, and the image stays the same.

Each package comes from a server on loopback that counts what it hands out. Three builds: the rewritten file with a cold
cache, the file as it was, and the rewritten one again with another layer in front.

Of the managers of cache_mounts.toml, these cannot be had here, and are not proved: dotnet (NuGet), for which Debian has
no package; yum 3 (CentOS 5 to 7, Amazon Linux 2) and dnf 5 (Fedora 41 and later), of which Debian has dnf 4 alone.
Gradle is the 4.4 of Debian, and the image of dnf is Debian too: their caches lie where later versions, and the images
of the distributions, have them. Alpine's layer is genuine.
"""

from __future__ import annotations

import io
import random
import tarfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dfopt.engine import Build, find_engine
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof.differences import Allowed, compare_views, declarations_of
from dfopt.proof.image_view import ImageReader, ImageView
from dfopt.source import Source
from dfopt.testing.case_files import CaseDirectory
from dfopt.testing.facts import CaseFacts

from .cache_mount_cases import CASES
from .engine import Engine
from .local_registry import Registry, serving

PAYLOAD = 300_000  # bytes that no compression makes less, so that the package is found in what is sent and stored
READER = ImageReader()


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with serving() as one:
        yield one


@pytest.mark.parametrize("manager", CASES)
def test_mounted(
    engine: Engine, more_bases: Callable[..., None], registry: Registry, tmp_path: Path, manager: str
) -> None:
    case = CASES[manager]
    more_bases(*case.bases)
    name = f"dfopt{uuid.uuid4().hex[:10]}"
    payload = random.Random(name).randbytes(PAYLOAD)
    registry.publish(case.package(name, payload))
    artefact = case.artefact.replace("NAME", name)

    def filled(text: str) -> str:
        return text.replace("NAME", name).replace("URL", registry.url)

    (tmp_path / "payload").write_bytes(payload)
    for file, text in {**case.files, "stamp": "one\n"}.items():
        (tmp_path / filled(file)).write_text(filled(text))
    before = "# syntax=docker/dockerfile:1\n" + filled(case.dockerfile)
    options = Options(("cache-mounts",))
    result = optimize(Source("Dockerfile", before), options, CaseFacts(CaseDirectory(tmp_path)))
    assert [one.reason for one in result.reported if one.reason] == []
    for path in case.mounts:
        assert result.output.count(f"--mount=type=cache,target={path}") == 1

    images: list[str] = []
    tops = {word: engine.build(tmp_path, filled(text).encode(), cached=True) for word, text in case.stand_ins.items()}
    if case.served:
        registry.publish(repository(engine, tmp_path, filled(case.served)))
    bytes_sent: list[int] = []
    args = {"BUILDKIT_CACHE_MOUNT_NS": name}  # mounts that no other build fills, or empties by `--no-cache`

    def build(text: str) -> int:
        """Builds, and says how often the package was fetched."""
        count, sent = registry.served[artefact], registry.sent
        images.append(engine.build(tmp_path, text.encode(), args=args, stand_ins=stand_ins, cached=True))
        bytes_sent.append(registry.sent - sent)
        return registry.served[artefact] - count

    stand_ins = {word: engine.name(image) for word, image in tops.items()}
    try:
        assert build(result.output) == 1, "the cold cache"
        assert build(before) == 1, "without the mount"
        (tmp_path / "stamp").write_text("two\n")
        assert build(result.output) == 0, "the package was fetched again"
        for image in images:
            ran = engine.run(image, filled(case.run))
            assert (ran.code, ran.stdout) == (0, f"{name}\n".encode()), ran
        cold, old, warm = seen(engine, *images)
        undeclared = Allowed(declarations_of(result.applied)).undeclared(compare_views(old, cold))
        assert not undeclared, "the fix does not declare it: " + "; ".join(map(str, undeclared))
        other = [
            change.where for change in Allowed(declarations_of(result.applied)).undeclared(compare_views(cold, warm))
        ]
        assert [path.rpartition("/")[2] for path in other] == ["stamp"]
        assert below(cold, case.mounts) == []
        assert bool(below(old, case.mounts)) is case.keeps
        sizes = [int(engine.call(["image", "inspect", "--format={{.Size}}", one], timeout=60).stdout) for one in images]
        assert sizes[1] - sizes[0] >= (PAYLOAD if case.saves else -1000)  # apt's log has a longer command
        print(f"{manager}: {sizes[1] - sizes[0]} B less in the image, {bytes_sent} B sent: cold, before, warm")
    finally:
        engine.remove(*images, *tops.values())


def test_a_proof_leaves_the_users_caches_alone(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker build --no-cache` empties the cache mounts of its RUNs; dfopt's own builds have mounts of their own."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    target = f"/dfopt-{uuid.uuid4().hex}"
    text = f"FROM busybox\nRUN --mount=type=cache,target={target} ls {target} >/seen && touch {target}/NAME\n"
    first = engine.build(tmp_path, text.replace("NAME", "one").encode(), cached=True)
    with find_engine("docker") as own:
        own.build(Build(str(tmp_path), text.replace("NAME", "two").encode(), network="host", cache=False), 120)
    second = engine.build(tmp_path, text.replace("NAME", "three").encode(), cached=True)
    try:
        assert engine.run(first, "cat /seen").stdout == b""
        assert engine.run(second, "cat /seen").stdout == b"one\n"
    finally:
        engine.remove(first, second)


def repository(engine: Engine, context: Path, dockerfile: str) -> dict[str, bytes]:
    """The files below /repo of the image that `dockerfile` makes."""
    image = engine.build(context, dockerfile.encode(), cached=True)
    try:
        words = ["run", "--rm", "--network=none", "--entrypoint=tar", image, "-c", "/repo"]
        packed = engine.call(words, timeout=120)
        assert packed.returncode == 0, packed.stderr
    finally:
        engine.remove(image)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        opened = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
        return {f"/{name}": file.read() for name, file in opened if file is not None}


def seen(engine: Engine, *images: str) -> list[ImageView]:
    archive = engine.save(*images)
    try:
        return [READER.archive(str(archive), image) for image in images]
    finally:
        archive.unlink()


def below(image: ImageView, mounts: Sequence[str]) -> list[str]:
    """What the last layer, that of the RUN, holds below `mounts`. (The base may have something there.)"""
    return [
        one.path for one in image.contents.layers[-1].entries if one.path.startswith(tuple(f"{m}/" for m in mounts))
    ]
