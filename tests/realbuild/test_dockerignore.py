"""`dfopt dockerignore` by real builds: junk that COPY . . brought into the image before is not in the one after."""

from __future__ import annotations

import json
import random
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli.running import dfopt

from .compare import compare
from .engine import Engine
from .image import images_of
from .local_packages import npm
from .local_registry import Registry, serving

DOCKERFILE = """\
FROM node:22-slim
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "src/main.js"]
"""
JUNK = 400_000  # bytes in each of the directories that no image needs
HISTORY, PACKAGES, ENVIRONMENT = ".git/objects/pack/pack-1.pack", "node_modules/NAME/build.log", ".venv/lib/module.so"
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6}


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with serving() as one:
        yield one


def project(directory: Path, registry: Registry) -> str:
    """A project as it lies on a developer's disk, after `git init`, `npm install` and `python3 -m venv`; the name of
    the package that it needs."""
    name = f"dfopt{uuid.uuid4().hex[:10]}"
    chance = random.Random(name)
    published = npm(name, chance.randbytes(1000))
    registry.publish(published)
    dist = json.loads(registry.files[f"/npm/{name}"])["versions"]["1.0.0"]["dist"]
    top = {"name": "app", "version": "1.0.0", "dependencies": {name: "1.0.0"}}
    locked = {"version": "1.0.0", "resolved": dist["tarball"], "integrity": dist["integrity"]}
    packages = {"": top, f"node_modules/{name}": locked}
    files = {
        "Dockerfile": DOCKERFILE,
        "package.json": json.dumps(top),
        "package-lock.json": json.dumps({**top, "lockfileVersion": 3, "requires": True, "packages": packages}),
        "src/main.js": f'console.log(require("{name}"));\n',
        ".git/HEAD": "ref: refs/heads/main\n",
        f"node_modules/{name}/index.js": 'module.exports = "another build";\n',
        ".venv/pyvenv.cfg": "home = /usr/bin\n",
        ".env": "PASSWORD=not-a-real-one\n",
    }
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    for path in (HISTORY, PACKAGES, ENVIRONMENT):
        (directory / path.replace("NAME", name)).parent.mkdir(parents=True, exist_ok=True)
        (directory / path.replace("NAME", name)).write_bytes(chance.randbytes(JUNK))
    return name


@pytest.mark.parametrize(
    ("options", "gone", "bytes_saved"),
    [
        ((), {".git", "Dockerfile"}, 2 * JUNK),  # node_modules is sent no more, and made anew by npm ci in either build
        (("--unsafe",), {".git", "Dockerfile", ".venv", ".env"}, 3 * JUNK),
    ],
    ids=["safe", "unsafe"],
)
def test_left_out(
    engine: Engine,
    more_bases: Callable[..., None],
    registry: Registry,
    tmp_path: Path,
    options: tuple[str, ...],
    gone: set[str],
    bytes_saved: int,
) -> None:
    more_bases("node-slim")
    before, after = tmp_path / "before", tmp_path / "after"
    name = project(before, registry)
    shutil.copytree(before, after)  # another directory, of which the builder has nothing yet: all of it is sent
    done = dfopt("dockerignore", "--write", *options, ".", cwd=after, driven=False)
    assert done.returncode == 0, done.stderr
    assert (after / "Dockerfile").read_text() == DOCKERFILE

    images: list[str] = []
    try:
        for context in (before, after):
            images.append(engine.build(context, DOCKERFILE.encode()))
            ran = engine.run(images[-1], "node /app/src/main.js")
            assert (ran.code, ran.stdout) == (0, f"{name}\n".encode()), ran
        first, second = (context_bytes(engine.log(image)) for image in images)
        archive = engine.save(*images)
        try:
            seen = {image.id: image for image in images_of(archive)}
        finally:
            archive.unlink()
        old, new = (seen[image] for image in images)
        differences = compare(old, new, ("/root/.npm/**", "/tmp/**"))
        assert {one.where.split("/")[2] for one in differences} == gone, "\n".join(map(str, differences))
        assert all((one.what, one.after) == ("path", "absent") for one in differences)
        size = sum(facts.size for facts in old.files.values()) - sum(facts.size for facts in new.files.values())
        assert size >= bytes_saved - JUNK
        assert first - second >= bytes_saved * 0.99
        print(f"context sent: {first:.0f} B before, {second:.0f} B after; {size} B less in the image")
    finally:
        engine.remove(*images)


def context_bytes(log: str) -> float:
    """How much of the build context BuildKit was sent, as it says itself."""
    said = re.findall(r"transferring context: ([\d.]+)(B|kB|MB)", log)
    assert said, log
    return max(float(number) * UNITS[unit] for number, unit in said)
