from __future__ import annotations

from dfopt.analysis.near_names import NearNames
from dfopt.editing.argument_edits import replace_arguments
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.base_images import base_facts
from dfopt.ir.stages import SCRATCH
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.findings import Fix
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.syntax.tree import Flag

_PLAIN = regex(r"[A-Za-z][\w-]*\Z")


class UnknownStage(Pass):
    """Finds references to a stage that is not there: `COPY --from`, `RUN --mount=from=` and FROM that name their own
    stage, a later one, a number that no stage has, or a name one slip away from that of an earlier stage.

    What is not the name of an earlier stage is taken for an image. Names of images, and of build contexts
    (`--build-context`), are left alone: a name is reported only where it is a stage's but for a slip, and not an image
    that dfopt knows.

    Why: the build fails, or takes files from an image of that name that somebody has published.

    Example:

    ```dockerfile
    FROM golang:1.24 AS builder
    RUN go build -o /app .

    FROM scratch
    COPY --from=biulder /app /app
    ```

    A FROM that is a slip away from a stage gets the stage's name; elsewhere the name is told. ONBUILD, which speaks of
    the stages of another file, is left alone.

    Refuses: nothing.

    Declares: the stage is built on another one. `unsafe`: an image of the name may be there.
    """

    name = "unknown-stage"
    group = "correct"
    tiers = ("unsafe",)
    phase = "repair"
    codes = ("DL3022", "DL3023", "DS-0006")
    triggers = (" as ", "\tas ", " as\t", "\tas\t", "from=")
    order = 22

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            if stage.parent is None and "$" not in stage.base:
                message = self.fault(program, stage, stage.base, own=False)
                if message:
                    meant = _meant(program, stage, stage.base)
                    fix: Fix | None = None
                    if meant:
                        fix = replace_arguments(stage.position, stage.node, {0: meant}, "unsafe")
                    start, end = stage.node.joined.span(stage.node.arguments[0].at, stage.node.arguments[0].stop)
                    yield Finding(self.name, f"FROM {stage.base}: {message}", start, end, fix)
            for step in stage.steps:
                for flag, reference in _references(step.node.flags, [(m.flag, m.image) for m in mounts(step.node)]):
                    if "$" in reference or program.stage_named(reference, stage.index) is not None:
                        continue
                    message = self.fault(program, stage, reference, own=True)
                    if message:
                        start, end = step.node.joined.span(flag.at, flag.stop)
                        yield Finding(self.name, f"from={reference}: {message}", start, end)

    def fault(self, program: Program, stage: Stage, reference: str, own: bool) -> str:
        """What is wrong with a reference in `stage` that means no earlier stage; "" where it may be an image."""
        if own and reference.isdigit() and reference.isascii():
            if not stage.index:
                return "no stage is before this one"
            return f"the last stage before this one is number {stage.index - 1}"
        if not _PLAIN.match(reference) or reference.lower() == SCRATCH:
            return ""
        for other in program.stages[stage.index :]:
            if other.name == reference.lower() and base_facts(reference) is None:
                if other is not stage:
                    return f"the stage of that name comes later, in line {other.node.line}"
                return "that is the stage itself" if own else ""
        meant = _meant(program, stage, reference)
        return f"there is no stage of that name; {meant} is meant" if meant else ""


def _meant(program: Program, stage: Stage, reference: str) -> str:
    """The earlier stage that a name means but for a slip; "" where it may be an image."""
    if not _PLAIN.match(reference) or base_facts(reference) is not None:
        return ""
    near = program.once("near stage names", NearNames, (other.name for other in program.stages))
    return near.nearest(reference, lambda name: program.stage_named(name, stage.index) is not None)


def _references(flags: tuple[Flag, ...], mounted: list[tuple[Flag, str]]) -> list[tuple[Flag, str]]:
    copied = [(flag, flag.value) for flag in flags if flag.name == "from" and flag.value]
    return [*copied, *[(flag, image) for flag, image in mounted if image]]
