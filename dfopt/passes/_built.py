"""What passes ask of a build of the file as it is, where without it they refuse."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.ir.program import Program, Stage
    from dfopt.passes.base import Artifact, BuiltImage, Facts

# Where a shell looks for a program: the search path that images have as a rule
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def built(program: Program, stage: Stage, facts: Facts) -> BuiltImage | None:
    """The image of a stage, as a build of the file as it is showed it."""
    return facts.built(stage.index, stage.base)


def seen_config(image: str | None, facts: Facts) -> Mapping[str, Any] | None:
    """The config of a base image, from a build that starts from it."""
    return facts.built_config(image) if image is not None else None


def untold(reason: str, facts: Facts) -> str:
    """A refusal for a fact that is not known, with the reason why no build told it."""
    why = facts.unbuilt()
    return f"{reason}: {why}" if why else reason


def in_path(image: BuiltImage, name: str, path: tuple[str, ...] = _PATH) -> Artifact | None:
    """The program that a name stands for; None where no directory of the search path has it."""
    for directory in path:
        found = image.artifact(f"{directory}/{name}")
        if found.kind in ("elf", "script", "file") and found.mode & 0o111:
            return found
    return None
