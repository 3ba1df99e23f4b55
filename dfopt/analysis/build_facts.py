"""What passes ask of a build of the file as it is, where without it they refuse."""

from __future__ import annotations

from dfopt.facts import SEARCH_PATH, PartialConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.facts import Artifact, BuiltImage, Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

# Packages that every image of their distribution has
EVERYWHERE = frozenset(("libc6", "libgcc-s1", "libstdc++6", "musl", "libc6-i386"))


def built_image(program: Program, stage: Stage, facts: Facts) -> BuiltImage | None:
    """The image of a stage, as a build of the file as it is showed it."""
    return facts.built(stage.index, stage.base)


def base_image(program: Program, stage: Stage, facts: Facts) -> BuiltImage | None:
    """The image that a stage is built on, as far as its registry was asked."""
    image = program.end_scope(stage).image
    return facts.base_image(image) if image is not None else None


def seen_image(program: Program, stage: Stage, facts: Facts) -> BuiltImage | None:
    """An image that shows what a stage's base brings: the base itself, else that of the stage."""
    return base_image(program, stage, facts) or built_image(program, stage, facts)


def config_of(image: str | None, facts: Facts) -> Mapping[str, Any] | None:
    """The whole config of a base image: as an engine or a table has it, else from a build that starts from it."""
    if image is None:
        return None
    config = facts.image_config(image)
    if config is None:
        config = facts.built_config(image)
    return None if isinstance(config, PartialConfig) else config


# What the user can do where a fact of a base image is not known
ASK = "use --online to ask its registry, or `fix --verify` to build it"


def with_reason(reason: str, facts: Facts) -> str:
    """A refusal for a fact that is not known, with the reason why no build told it."""
    why = facts.unbuilt()
    return f"{reason}: {why}" if why else reason


def find_program(image: BuiltImage, name: str, path: tuple[str, ...] = SEARCH_PATH) -> Artifact | None:
    """The program that a name stands for (an absolute path for itself); None where no directory of the search path has
    it."""
    places = [name] if name.startswith("/") else [f"{directory}/{name}" for directory in path if "/" not in name]
    for place in places:
        artifact = image.artifact(place)
        if artifact.kind in ("elf", "script", "file") and artifact.mode & 0o111:
            return artifact
    return None
