"""What the steps of a stage do to paths, looked up by path: a file of many steps is gone through once, not for each
path that is asked about.

Each table maps a path to the first step (its index) that does something to it: what is before a step is what has a
smaller index.
"""

from __future__ import annotations

from bisect import bisect_right

from dfopt.ir.commands import TOP
from dfopt.ir.effects import above, strictly_above
from dfopt.ir.scopes import join_path
from dfopt.rewrites.cache_mounts import mount_targets
from dfopt.rewrites.copy_mode import destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.commands import Invocation
    from dfopt.ir.effects import Effect
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

    First = dict[str, int]


class Mentions:
    """The bodies of some RUNs, searched for names in one go."""

    def __init__(self, program: Program, runs: list[Step]) -> None:
        self.work = program.work
        self.indices = [run.index for run in runs]
        texts = [program.body(run).text for run in runs]
        self.starts: list[int] = []
        at = 0
        for text in texts:
            self.starts.append(at)
            at += len(text) + 1
        self.text = "\0".join(texts)
        self.first: dict[str, int | None] = {}

    def first_of(self, name: str) -> int | None:
        """The first RUN (its index) whose body holds a text. Raises TooMuchWorkError."""
        if name not in self.first:
            at = self.text.find(name)
            for _ in range((len(self.text) if at < 0 else at) >> 12):
                self.work.spend()
            self.first[name] = None if at < 0 else self.indices[bisect_right(self.starts, at) - 1]
        return self.first[name]


class PathIndex:
    """The tables of one stage's own steps.

    directories       a directory is there for certain: WORKDIR makes it, or `mkdir`
    made              something is put into it, or it is declared to be a directory
    changed           a RUN without mounts has an effect at it or below; `changed_by_others`: another RUN has
    volumes, workdirs a VOLUME or WORKDIR names it or what is below; of the latter, all steps
    mentions          the bodies of RUNs without mounts that are understood; `other_mentions`: of the other RUNs
    mounted           the RUNs with mounts
    unknown           the first RUN without mounts that may put something anywhere
    unknown_workdirs  the WORKDIRs of which nobody knows where they are
    """

    def __init__(self, program: Program, stage: Stage) -> None:
        self.directories: First = {}
        self.made: First = {}
        self.changed: First = {}
        self.changed_by_others: First = {}
        self.volumes: First = {}
        self.workdirs: dict[str, list[int]] = {}
        self.unknown_workdirs: list[int] = []
        self.mounted: list[Step] = []
        self.unknown: int | None = None
        plain: list[Step] = []
        other: list[Step] = []
        for step in stage.steps:
            keyword = step.node.keyword
            if keyword in ("COPY", "ADD", "WORKDIR"):
                self._destination(program, step)
            elif keyword == "VOLUME":
                for volume in volumes(program, step):
                    for path in above(volume):
                        self.volumes.setdefault(path, step.index)
                        self.made.setdefault(path, step.index)
            elif keyword == "RUN":
                self._run(program, step)
                understood = program.body(step).program is not None
                changed = self.changed_by_others
                if any(target is not None for target in mount_targets(program, step)):
                    self.mounted.append(step)
                    other.append(step)
                else:
                    opaque = not understood or any(effect.kind == "opaque" for effect in program.effects(step))
                    if opaque and self.unknown is None:
                        self.unknown = step.index
                    (plain if understood else other).append(step)
                    changed = self.changed if understood else changed
                for effect in program.effects(step):
                    for path in above(effect.path):
                        changed.setdefault(path, step.index)
        self.mentions, self.other_mentions = Mentions(program, plain), Mentions(program, other)

    def _destination(self, program: Program, step: Step) -> None:
        target = destination(program, step)
        if step.node.keyword == "WORKDIR":
            if target is None:
                self.unknown_workdirs.append(step.index)
            for path in above(target) if target is not None else ():
                self.directories.setdefault(path, step.index)
                self.workdirs.setdefault(path, []).append(step.index)
        if target is not None:
            for path in strictly_above(target):
                self.made.setdefault(path, step.index)
            if _into_directory(step):
                self.made.setdefault(target, step.index)

    def _run(self, program: Program, step: Step) -> None:
        for effect in program.effects(step):
            if effect.kind == "creates":
                if effect.program == "mkdir" and effect.where == TOP:
                    self.directories.setdefault(effect.path, step.index)
                if _makes_directory(effect):
                    self.made.setdefault(effect.path, step.index)
                for path in strictly_above(effect.path):
                    self.made.setdefault(path, step.index)
        for invocation in program.run_commands(step).invocations:
            if invocation.program in ("useradd", "adduser", "usermod"):
                for home in _homes(invocation):
                    self.made.setdefault(home, step.index)


def volumes(program: Program, step: Step) -> list[str]:
    """The directories that a VOLUME names, as far as they are known."""
    scope = program.scope(step)
    paths = [
        join_path(scope.workdir, scope.expand(argument.value, program.dockerfile.escape))
        for argument in step.node.arguments
    ]
    return [path for path in paths if isinstance(path, str)]


def indices_before(program: Program, step: Step) -> Iterator[tuple[Stage, PathIndex, int]]:
    """The stages whose layers `step` stands on, its own first: each with its tables, and the index that its steps in
    front of `step` are below."""
    stage, limit = program.stages[step.stage], step.index
    while True:
        yield stage, program.once(("path index", stage.index), PathIndex, program, stage), limit
        if stage.parent is None:
            return
        stage = program.stages[stage.parent]


def is_before(first: int | None, limit: int) -> bool:
    """Whether there is such a step, in front of another."""
    return first is not None and first < limit


def _into_directory(step: Step) -> bool:
    """Whether a COPY's destination is a directory by its form: a final slash, several sources, or a directory."""
    words = [argument.value for argument in step.node.arguments]
    return words[-1].endswith(("/", "/.")) or len(words) > 2 or words[0] in (".", "./") or words[0].endswith("/")


def _makes_directory(effect: Effect) -> bool:
    return effect.program in ("mkdir", "git", "tar", "unzip")


def _homes(invocation: Invocation) -> Iterator[str]:
    """The directories that a command which makes an account may make: its home."""
    for value in invocation.values:
        if value is not None and not value.startswith("-"):
            yield value.rstrip("/") if value.startswith("/") else f"/home/{value}"
        elif value is not None and "=" in value:
            yield value.partition("=")[2].rstrip("/")
