"""cache-mounts by real builds: the package manager fills the mount, finds it again, and the image stays the same.

Each package comes from a server on loopback that counts what it hands out. Three builds: the rewritten file with a cold
cache, the file as it was, and the rewritten one again with another layer in front.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from dfopt.optimizer import Options, optimize
from dfopt.proof.differences import Allowed, compared, declared_by
from dfopt.proof.seen import Reader, Seen
from dfopt.record import Record
from dfopt.source import Source
from dfopt.testing.facts import CaseFacts

from . import local_packages as packages
from .engine import Engine
from .local_registry import Registry, serving

PAYLOAD = 300_000  # bytes that no compression makes less, so that the package is found in what is sent and stored
READER = Reader()


class Case(Record):
    """`bases`: of make-bases.sh. `dockerfile` and `files` have NAME for the package's name and URL for the registry's
    address; the file `stamp` is another one in the last build. `base`: FROM word -> what is put on top of it here.

    `mounts`: their targets. `keeps`: the manager leaves its cache in the layer of the file as it was;
    `saves`: which makes the image larger by the package at least (pnpm and uv link what they install to their cache).
    `run`: what both images must say about the package: its name.
    """

    bases: tuple[str, ...]
    package: Callable[[str, bytes], packages.Files]
    dockerfile: str
    files: dict[str, str]
    mounts: tuple[str, ...]
    keeps: bool
    saves: bool
    run: str
    base: Mapping[str, str] = MappingProxyType({})


NPM = "FROM node:22-slim\nENV npm_config_registry=URL/npm/\nWORKDIR /app\nCOPY stamp package.json ./\n"
PACKAGE = {"package.json": '{"name": "app", "version": "1.0.0", "dependencies": {"NAME": "1.0.0"}}\n'}
ASK_NODE = "cd /app && node -p 'require(\"NAME\")'"
CASES = {
    "npm": Case(
        ("node-slim",), packages.npm, NPM + "RUN npm install\n", PACKAGE, ("/root/.npm",), True, True, ASK_NODE,
    ),
    "yarn": Case(
        ("node-slim",), packages.npm, NPM + "RUN yarn install --registry URL/npm/\n", PACKAGE,
        ("/usr/local/share/.cache/yarn",), True, True, ASK_NODE,
    ),
    "pnpm": Case(
        ("node-slim",), packages.npm, NPM + "RUN pnpm install\n", PACKAGE,
        ("/root/.local/share/pnpm/store", "/root/.cache/pnpm"), True, False, ASK_NODE,
        {"node:22-slim": "RUN npm install -g pnpm@10 && npm cache clean --force"},
    ),
    "uv": Case(
        ("python",), packages.wheel,
        "FROM python:3.13-slim\nCOPY stamp /\nRUN uv pip install --system --index-url URL/simple NAME\n", {},
        ("/root/.cache/uv",), True, False, "python3 -c 'import NAME; print(NAME.TEXT)'",
        {"python:3.13-slim": "RUN pip install --no-cache-dir uv"},
    ),
    "go": Case(
        ("golang",), packages.module,
        "FROM golang:1.24\nENV GOPROXY=URL/go GOSUMDB=off GOFLAGS=-mod=mod CGO_ENABLED=0\nWORKDIR /src\n"
        "COPY stamp go.mod main.go ./\nRUN go build -o /usr/local/bin/show .\n",
        {
            "go.mod": "module example.com/show\n\ngo 1.20\n\nrequire example.com/NAME v1.0.0\n",
            "main.go": 'package main\n\nimport "example.com/NAME"\n\nfunc main() { print(NAME.Name, "\\n") }\n',
        },
        ("/go/pkg/mod", "/root/.cache/go-build"), True, True, "show 2>&1",
    ),
}  # fmt: skip


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
    made = case.package(name, random.Random(name).randbytes(PAYLOAD))
    registry.publish(made)
    artefact = packages.ARTEFACTS[case.package.__name__].format(name=name)
    assert artefact in made

    def filled(text: str) -> str:
        return text.replace("NAME", name).replace("URL", registry.url)

    for file, text in {**case.files, "stamp": "one\n"}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(filled(text))
    before = "# syntax=docker/dockerfile:1\n" + filled(case.dockerfile)
    options = Options(("cache-mounts",))
    result = optimize(Source("Dockerfile", before), options, CaseFacts(tmp_path))
    assert [one.reason for one in result.reported if one.reason] == []
    for path in case.mounts:
        assert result.output.count(f"--mount=type=cache,target={path}") == 1

    images: list[str] = []
    tops = {
        base: engine.build(tmp_path, f"FROM {base}\n{text}\n".encode(), cached=True) for base, text in case.base.items()
    }
    bytes_sent: list[int] = []
    args = {"BUILDKIT_CACHE_MOUNT_NS": name}  # mounts that no other build fills, or empties by `--no-cache`

    def build(text: str) -> int:
        """Builds, and says how often the package was fetched."""
        count, sent = registry.served[artefact], registry.sent
        images.append(engine.build(tmp_path, text.encode(), args=args, stand_ins=stand_ins, cached=True))
        bytes_sent.append(registry.sent - sent)
        return registry.served[artefact] - count

    stand_ins = {base: engine.name(image) for base, image in tops.items()}
    try:
        assert build(result.output) == 1, "the cold cache"
        assert build(before) == 1, "without the mount"
        (tmp_path / "stamp").write_text("two\n")
        assert build(result.output) == 0, "the package was fetched again"
        for image in images:
            ran = engine.run(image, filled(case.run))
            assert (ran.code, ran.stdout) == (0, f"{name}\n".encode()), ran
        cold, old, warm = seen(engine, *images)
        undeclared = Allowed(declared_by(result.applied)).left(compared(old, cold))
        assert not undeclared, "the fix does not declare it: " + "; ".join(map(str, undeclared))
        other = [change.where for change in Allowed(declared_by(result.applied)).left(compared(cold, warm))]
        assert [path.rpartition("/")[2] for path in other] == ["stamp"]
        assert below(cold, case.mounts) == []
        assert bool(below(old, case.mounts)) is case.keeps
        sizes = [int(engine.call(["image", "inspect", "--format={{.Size}}", one], timeout=60).stdout) for one in images]
        assert sizes[1] - sizes[0] >= (PAYLOAD if case.saves else 0)
        print(f"{manager}: {sizes[1] - sizes[0]} B less in the image, {bytes_sent} B sent: cold, before, warm")
    finally:
        engine.remove(*images, *tops.values())


def seen(engine: Engine, *images: str) -> list[Seen]:
    archive = engine.save(*images)
    try:
        return [READER.archive(str(archive), image) for image in images]
    finally:
        archive.unlink()


def below(image: Seen, mounts: Sequence[str]) -> list[str]:
    """What the last layer, that of the RUN, holds below `mounts`. (The base may have something there.)"""
    return [
        one.path for one in image.contents.layers[-1].entries if one.path.startswith(tuple(f"{m}/" for m in mounts))
    ]
