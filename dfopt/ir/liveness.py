"""Liveness across layers: what a step leaves in its layer, and which later step makes it dead.

A path is *dead* in a layer when a later layer deletes it or writes it again: its bytes stay in the image for ever. Only
what the effects tell is seen; a program that no table knows neither writes nor kills here.
"""

from __future__ import annotations

from dfopt.ir.effects import Effect, covers
from dfopt.knowledge import table
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class Death(Record):
    """`path`, left by step `writer`, dies in step `killer` (indices of instructions). `kind`: "deleted" or
    "overwritten"; `program` is what kills."""

    path: str
    writer: int
    killer: int
    kind: str
    program: str


class Layers:
    """The paths that the layers so far hold alive, with their writers. Feed it one step after the other."""

    __slots__ = ("empty", "live")

    def __init__(self) -> None:
        self.live: list[tuple[int, Effect]] = []
        files = table("programs")["files"]
        self.empty = frozenset(name for name in files if files[name].get("empty"))

    def feed(self, step: int, effects: Iterable[Effect]) -> list[Death]:
        """Takes a step's effects in their order; returns what they kill of earlier steps."""
        deaths: list[Death] = []
        for effect in effects:
            if effect.kind == "deletes":
                deaths += [Death(effect.path, writer, step, "deleted", effect.program) for writer in self._of(effect)]
                self.live = [pair for pair in self.live if not covers(effect.path, pair[1].path)]
            elif effect.kind in ("creates", "changes"):
                if effect.kind == "changes":
                    deaths += [
                        Death(other.path, writer, step, "overwritten", effect.program)
                        for writer, other in self.live
                        if writer != step and _changes(effect, other) and other.program != "mkdir"
                    ]
                    if self._holds_nothing(effect):
                        continue  # another mode or owner of a directory by itself stores no file again
                self.live.append((step, effect))
        # what dies in the layer that wrote it leaves nothing there
        return [death for death in deaths if death.writer != step]

    def _of(self, deletion: Effect) -> list[int]:
        """The steps that wrote what a deletion takes: all that is written at its path or below; where that is nothing,
        the last step that wrote a directory around it."""
        taken = [writer for writer, other in self.live if covers(deletion.path, other.path)]
        if taken:
            return [
                writer
                for writer, other in self.live
                if covers(deletion.path, other.path) and other.program not in self.empty
            ]
        around = [
            (len(other.path), place, writer)
            for place, (writer, other) in enumerate(self.live)
            if covers(other.path, deletion.path) and other.path != "/" and other.program not in self.empty
        ]
        return [max(around)[2]] if around else []

    def _holds_nothing(self, change: Effect) -> bool:
        """Whether a change of mode or owner reaches nothing but directories that mkdir made."""
        reached = [other for _, other in self.live if covers(change.path, other.path)]
        if change.deep:
            return bool(reached) and all(other.program == "mkdir" for other in reached)
        return any(other.program == "mkdir" and other.path == change.path for other in reached)


def _changes(effect: Effect, other: Effect) -> bool:
    """Whether a change of mode or owner reaches what another effect wrote."""
    if effect.deep:
        return covers(effect.path, other.path)
    return effect.path == (other.path.rpartition("/")[0] or "/" if effect.within else other.path)


def layer_steps(program: Program, stage: Stage) -> list[Step]:
    """The steps whose layers an image of `stage` has: those of the stages that it is built FROM, then its own."""
    steps = list(stage.steps)
    while stage.parent is not None:
        stage = program.stages[stage.parent]
        steps = [*stage.steps, *steps]
    return steps


def copied_paths(program: Program, stage: Stage) -> set[str] | None:
    """The absolute paths that other stages take out of `stage`; None where one is not known."""
    from dfopt.ir.scopes import join_path
    from dfopt.syntax.expand import Unknown
    from dfopt.syntax.mounts import mounts

    paths: set[str] = set()
    for other in program.stages[stage.index + 1 :]:
        for step in other.steps:
            node = step.effective
            escape = program.dockerfile.escape
            flag = node.flag("from")
            if flag is not None and flag.value and program.stage_named(flag.value, other.index) == stage.index:
                for argument in node.arguments[:-1]:
                    path = join_path("/", program.scope(step).expand(argument.value, escape))
                    if isinstance(path, Unknown):
                        return None
                    paths.add(path)
            for mount in mounts(node):
                if program.stage_named(mount.image, other.index) == stage.index:
                    paths.add("/" + mount.source.strip("/"))
    return paths
