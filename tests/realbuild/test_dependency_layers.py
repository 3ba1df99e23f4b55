"""`dependency-layers` by builds: the same image before and after, and an install that a changed source leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.findings import Declares
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof.differences import Allowed, compare_views, declarations_of
from dfopt.proof.image_view import ImageReader
from dfopt.results import Result
from dfopt.source import Source, encode
from dfopt.workspace.facts import ContextFacts

from . import registries
from .engine import Engine, EngineError
from .file_server import serving
from .image import images_of
from .projects import PROJECTS, WORD, Project

READER = ImageReader()
BASES = {
    "node:22-slim": "node-slim", "python:3.13-slim": "python", "golang:1.24": "golang", "rust:1.85-slim": "rust",
    "ruby:3.3": "ruby", "php:8-cli": "php", "maven:3.9": "maven",
}  # fmt: skip


def optimized(context: Path, project: Project) -> Result:
    """The project's Dockerfile, written into the context and rewritten by the pass."""
    file = context / "Dockerfile"
    file.write_text(project.dockerfile)
    source = Source.from_bytes(file.read_bytes(), "Dockerfile")
    options = Options(("dependency-layers",), (), ("safe", "unsafe"))
    result = optimize(source, options, ContextFacts(str(file), str(context), source))
    file.unlink()
    return result


def change(context: Path, project: Project) -> None:
    path = context / project.source
    path.write_text(f"{path.read_text()}{project.change} changed\n")


def common(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """How many layers two images begin with in common."""
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return number
    return min(len(first), len(second))


@pytest.mark.parametrize("name", PROJECTS)
def test_project(engine: Engine, more_bases: Callable[..., None], tmp_path: Path, name: str) -> None:
    context, served = tmp_path / "context", tmp_path / "served"
    served.mkdir()
    with serving(served) as url:
        project = PROJECTS[name](url)
        more_bases(BASES[project.image])
        registries.write(served, project.served)
        registries.write(context, {path: text.encode() for path, text in project.files.items()})
        result = optimized(context, project)
        assert result.changed, [one.reason for one in result.reported]
        assert {fix.tier for fix in result.applied} == {project.tier}
        base = engine.build(context, project.base.encode(), cached=True)
        stand_ins = {project.image: engine.name(base)}

        def build(dockerfile: bytes) -> str:
            return engine.build(context, dockerfile, stand_ins=stand_ins, cached=True)

        files = [project.dockerfile.encode(), encode(result.output)]
        first = [build(file) for file in files]
        change(context, project)
        second = [build(file) for file in files]
    archive = engine.save(*first, *second)
    try:
        layers = {image.id: image.layers for image in images_of(archive)}
        seen = [READER.archive(str(archive), image) for image in first]
    finally:
        archive.unlink()
    undeclared = Allowed([*declarations_of(result.applied), Declares(project.noise)]).undeclared(compare_views(*seen))
    assert not undeclared, "; ".join(map(str, undeclared))
    for image in (*first, *second):
        said = engine.run(image, project.said)
        assert said.stdout.decode().strip() == WORD, said
    kept = [common(layers[one], layers[other]) for one, other in zip(first, second, strict=True)]
    assert kept[1] == kept[0] + 2, "a changed source keeps the layers of the manifests and of the install, and no other"
    engine.remove(base, *first, *second)


def test_added_download_may_fail_where_the_build_does_not(
    engine: Engine, more_bases: Callable[..., None], tmp_path: Path
) -> None:
    """Why an added download is `unsafe`: it fetches a module that go.mod requires and no package needs."""
    context, served = tmp_path / "context", tmp_path / "served"
    served.mkdir()
    more_bases("golang")
    with serving(served) as url:
        project = PROJECTS["go_build"](url)
        registries.write(served, project.served)
        registries.write(context, {path: text.encode() for path, text in project.files.items()})
        absent = "example.test/absent v1.0.0"
        with (context / "go.mod").open("a") as file:
            file.write(f"\nrequire {absent}\n")
        with (context / "go.sum").open("a") as file:
            file.write(f"{absent} h1:{'A' * 43}=\n{absent}/go.mod h1:{'A' * 43}=\n")
        result = optimized(context, project)
        assert [fix.tier for fix in result.applied] == ["unsafe"]
        base = engine.build(context, project.base.encode(), cached=True)
        stand_ins = {project.image: engine.name(base)}
        image = engine.build(context, project.dockerfile.encode(), stand_ins=stand_ins, cached=True)
        with pytest.raises(EngineError, match="absent"):
            engine.build(context, encode(result.output), stand_ins=stand_ins, cached=True)
        engine.remove(base, image)
