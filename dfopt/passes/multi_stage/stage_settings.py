"""Where each setting of the old stage goes: it stays in the builder, leaves it, or stands in both."""

from __future__ import annotations

import fnmatch
import re

from dfopt.ir.liveness import layer_steps
from dfopt.record import Record
from dfopt.rewrites.split_stage import SCOPED, STARTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.multi_stage.bases import BuilderImage

_READERS = frozenset(("RUN", "COPY", "ADD"))
# Settings after which the copies go: what follows is about the start, or about who runs it
_BEHIND = frozenset(("USER", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "VOLUME", "STOPSIGNAL"))


class StageSettings(Record):
    """Indices of instructions: `before` and `after` the copies in the new stage; `moved`: those that leave the builder.
    `left`: ENV names that stay behind."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    moved: tuple[int, ...]
    left: tuple[str, ...]


def settings(
    program: Program, stage: Stage, environment: Sequence[str], stays: Sequence[str], owned: bool
) -> StageSettings:
    """Sorts the settings of a stage. `environment`: patterns of ENV names that builds alone read, less `stays`;
    `owned`: directories have owners, so that the copies must come before a WORKDIR that would make them root's."""
    steps = layer_steps(program, stage)
    directories = [step for step in steps if step.node.keyword == "WORKDIR"]
    keep = set(_relative(directories))
    last = max(
        [s.index for s in steps if s.effective.keyword in _READERS or (s in directories and s.index not in keep)],
        default=-1,
    )
    users = [step for step in steps if step.node.keyword == "USER"]
    shells = any(
        step.node.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK") and step.node.form == "shell" for step in steps
    )
    wanted: list[Step] = []
    left: list[str] = []
    for step in steps:
        keyword = step.node.keyword
        if keyword in STARTS:
            wanted.append(step)
        elif keyword == "ENV":
            names = [pair.name for pair in step.node.pairs]
            build = [any(fnmatch.fnmatchcase(n, p) for p in environment) and n not in stays for n in names]
            if all(build):
                left += names
            else:
                wanted.append(step)
        elif keyword == "WORKDIR":
            if step.index in keep:
                wanted.append(step)
        elif keyword == "USER":
            if step is users[-1]:
                wanted.append(step)
        elif keyword == "SHELL" and shells:
            wanted.append(step)
    left = _not_read(left, steps, wanted)
    wanted += _arguments(program, steps, wanted)
    wanted.sort(key=lambda step: step.index)
    indices = [step.index for step in wanted]
    behind = _BEHIND | {"WORKDIR"} if owned else _BEHIND
    cut = next((n for n, step in enumerate(wanted) if step.node.keyword in behind), len(wanted))
    moved = [
        step.index for step in wanted
        if step.stage == stage.index  # what other stages stand on stays where it is
        and (step.node.keyword in STARTS or (step.node.keyword in SCOPED and step.index > last))
    ]  # fmt: skip
    return StageSettings(tuple(indices[:cut]), tuple(indices[cut:]), tuple(moved), tuple(left))


def _relative(directories: list[Step]) -> list[int]:
    """The last WORKDIR with an absolute path, and those behind it: they alone say where the image starts."""
    start = 0
    for number, step in enumerate(directories):
        if step.node.arguments[0].value.startswith(("/", "$")):
            start = number
    return [step.index for step in directories[start:]]


def _not_read(left: list[str], steps: Sequence[Step], wanted: list[Step]) -> list[str]:
    """The names of `left` that no setting of the new stage reads; the ENVs of the others are added to `wanted`."""
    while True:
        text = " ".join([step.node.joined.text for step in wanted if step.node.keyword not in ("LABEL", "CMD")])
        read = {name for name in left if reads(text, [name])}
        if not read:
            return left
        for step in steps:
            names = {pair.name for pair in step.node.pairs} if step.node.keyword == "ENV" else set()
            if names & read and step not in wanted:
                wanted.append(step)
                left = [name for name in left if name not in names]
        left = [name for name in left if name not in read]


def reads(text: str, names: Iterable[str]) -> bool:
    """Whether a text reads one of these variables."""
    either = "|".join(map(re.escape, names))
    return bool(either) and re.search(rf"\$\{{?(?:{either})\b", text) is not None


def _arguments(program: Program, steps: Sequence[Step], wanted: Sequence[Step]) -> list[Step]:
    """The ARGs that the settings of the new stage read."""
    arguments: list[Step] = []
    while True:
        text = " ".join(
            step.node.joined.text
            for step in (*wanted, *arguments)
            if step.node.keyword not in ("CMD", "ENTRYPOINT", "HEALTHCHECK")
        )
        more = [
            step for step in steps
            if step.node.keyword == "ARG" and step not in arguments
            and reads(text, [pair.name for pair in step.node.pairs])
        ]  # fmt: skip
        if not more:
            return arguments
        arguments += more


def inherited_workdir(program: Program, stage: Stage, image: str, base: BuilderImage | None) -> tuple[str, ...]:
    """A WORKDIR with that of the old base image, where none says another and the new `image` differs."""
    home = base.home if base is not None else "/"
    says = any(step.node.keyword == "WORKDIR" for step in layer_steps(program, stage))
    return (f"WORKDIR {home}",) if not says and home != "/" and image != program.root(stage).image else ()
