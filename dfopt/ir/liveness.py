"""Liveness across layers: what a step leaves in its layer, and which later step makes it dead.

A path is *dead* in a layer when a later layer deletes it or writes it again: its bytes stay in the image for ever. Only
what the effects tell is seen; a program that no table knows neither writes nor kills here.
"""

from __future__ import annotations

from itertools import takewhile

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

    __slots__ = ("_at", "_below", "_count", "_first", "_made", "_step", "empty", "live")

    def __init__(self) -> None:
        self.live: dict[int, tuple[int, Effect]] = {}  # in the order of writing
        self._at: dict[str, dict[int, None]] = {}  # path -> keys of `live`
        self._below: dict[str, dict[int, None]] = {}  # directory, without a final slash -> keys of what lies below
        self._count = 0
        self._made: dict[str, int] = {}  # path -> how many of its writers are mkdir
        self._step, self._first = -1, 1  # the step that is being fed, and its first key: its own writers do not die
        files = table("programs")["files"]
        self.empty = frozenset(name for name in files if files[name].get("empty"))

    def feed(self, step: int, effects: Iterable[Effect]) -> list[Death]:
        """Takes a step's effects in their order; returns what they kill of earlier steps."""
        deaths: list[Death] = []
        if step != self._step:
            self._step, self._first = step, self._count + 1
        for effect in effects:
            if effect.kind == "deletes":
                taken = self.covered(effect.path)
                deaths += [
                    Death(effect.path, writer, step, "deleted", effect.program) for writer in self._of(effect, taken)
                ]
                self._remove(taken)
            elif effect.kind in ("creates", "changes"):
                if effect.kind == "changes":
                    reached = self._earlier(self._at.get(effect.path, ()))
                    if effect.deep or effect.within:
                        below = self._earlier(self._below.get(effect.path.rstrip("/"), ()))
                        reached = sorted({*reached, *below})
                    deaths += [
                        Death(other.path, writer, step, "overwritten", effect.program)
                        for writer, other in [self.live[key] for key in reached]
                        if writer != step and _changes(effect, other) and other.program != "mkdir"
                    ]
                    if self._holds_nothing(effect):
                        continue  # another mode or owner of a directory by itself stores no file again
                self._add(step, effect)
        # what dies in the layer that wrote it leaves nothing there
        return [death for death in deaths if death.writer != step]

    def covered(self, path: str) -> list[int]:
        """The keys of what is alive at a path or below it, in the order of writing."""
        return sorted({*self._at.get(path, ()), *self._below.get(path.rstrip("/"), ())})

    def _earlier(self, keys: Iterable[int]) -> list[int]:
        """Those that earlier steps wrote, of keys in the order of writing."""
        return list(takewhile(lambda key: key < self._first, keys))

    def _add(self, step: int, effect: Effect) -> None:
        self._count += 1
        self.live[self._count] = step, effect
        self._at.setdefault(effect.path, {})[self._count] = None
        if effect.program == "mkdir":
            self._made[effect.path] = self._made.get(effect.path, 0) + 1
        for directory in _directories(effect.path):
            self._below.setdefault(directory, {})[self._count] = None

    def _remove(self, keys: Iterable[int]) -> None:
        for key in keys:
            _, effect = self.live.pop(key)
            del self._at[effect.path][key]
            if effect.program == "mkdir":
                self._made[effect.path] -= 1
            for directory in _directories(effect.path):
                del self._below[directory][key]

    def _of(self, deletion: Effect, taken: list[int]) -> list[int]:
        """The steps that wrote what a deletion takes: all that is written at its path or below; where that is nothing,
        the last step that wrote a directory around it."""
        if taken:
            return [writer for writer, other in map(self.live.__getitem__, taken) if other.program not in self.empty]
        for directory in (deletion.path, *reversed(_directories(deletion.path))):
            keys = {*self._at.get(directory, ()), *self._at.get(directory + "/", ())} if directory else ()
            around = [(len(self.live[key][1].path), key) for key in keys if self._is_around(key, deletion.path)]
            if around:
                return [self.live[max(around)[1]][0]]
        return []

    def _is_around(self, key: int, path: str) -> bool:
        other = self.live[key][1]
        return covers(other.path, path) and other.path != "/" and other.program not in self.empty

    def _holds_nothing(self, change: Effect) -> bool:
        """Whether a change of mode or owner reaches nothing but directories that mkdir made."""
        if change.deep:
            reached = [self._at.get(change.path, {}), self._below.get(change.path.rstrip("/"), {})]
            return any(reached) and all(self.live[key][1].program == "mkdir" for keys in reached for key in keys)
        return self._made.get(change.path, 0) > 0


def _directories(path: str) -> list[str]:
    """The directories that cover a path, without final slashes: "" (the root), "/usr" ... for "/usr/lib/x"."""
    return [path[:at] for at, char in enumerate(path) if char == "/"]


def _changes(effect: Effect, other: Effect) -> bool:
    """Whether a change of mode or owner reaches what another effect wrote."""
    if effect.deep:
        return covers(effect.path, other.path)
    return effect.path == (other.path.rpartition("/")[0] or "/" if effect.within else other.path)


def layer_steps(program: Program, stage: Stage) -> list[Step]:
    """The steps whose layers an image of `stage` has: those of the stages that it is built FROM, then its own."""
    stages = [stage]
    while stage.parent is not None:
        stage = program.stages[stage.parent]
        stages.append(stage)
    return [step for stage in reversed(stages) for step in stage.steps]


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
