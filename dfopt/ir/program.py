"""The lowered file: stages, the graph between them, and steps with their shell programs.

A `Program` is made once per text and shared by all passes; what is costly (shell trees, scopes, effects) is computed
when first asked for, and kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter

from dfopt.ir.stages import Stage, Step
from dfopt.ir.work import Work
from dfopt.syntax.tree import Dockerfile, Instruction
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from dfopt.ir.commands import CommandList
    from dfopt.ir.effects import Effect
    from dfopt.ir.scopes import Scope
    from dfopt.ir.shell_body import Body
    from dfopt.ir.shell_state import ShellStateEffects

    Value = TypeVar("Value")


_index_of = attrgetter("index")


class Program:
    """The IR of one file."""

    __slots__ = (
        "_bodies",
        "_children",
        "_commands",
        "_copies_from",
        "_effects",
        "_run_steps",
        "_scopes",
        "_shell_states",
        "_shipped",
        "derived",
        "dockerfile",
        "meta",
        "stages",
        "text",
        "work",
    )

    def __init__(self, dockerfile: Dockerfile, work: Work | None = None) -> None:
        """`work`: what the file that this is a version of has left; None: a share of its own."""
        self.dockerfile = dockerfile
        self.work = work or Work()
        self.text = dockerfile.text
        self.meta: tuple[Instruction, ...] = ()
        self.stages: tuple[Stage, ...] = ()
        self._bodies: dict[int, Body] = {}
        self._commands: dict[int, CommandList] = {}
        self._effects: dict[int, list[Effect]] = {}
        self._shell_states: dict[int, ShellStateEffects] = {}
        self._run_steps: list[tuple[Stage, int, Step, str]] | None = None
        self._scopes: dict[int, list[Scope]] = {}
        self._shipped: frozenset[int] | None = None
        self._children: list[list[Stage]] | None = None
        self._copies_from: dict[int, set[int]] = {}
        self.derived: dict[object, Any] = {}  # what analyses keep of this program: see `once`
        self._lower()

    def once(self, key: object, make: Callable[..., Value], *arguments: object) -> Value:
        """`make(*arguments)`, which depends on this program and on what is in `key` alone: computed once (callers must
        not mutate it)."""
        if key not in self.derived:
            self.derived[key] = make(*arguments)
        value: Value = self.derived[key]
        return value

    def _lower(self) -> None:
        nodes = self.dockerfile.instructions
        starts = [index for index, node in enumerate(nodes) if node.keyword == "FROM"]
        self.meta = nodes[: starts[0]] if starts else nodes
        stages: list[Stage] = []
        names: dict[str, int] = {}
        for number, start in enumerate(starts):
            stop = starts[number + 1] if number + 1 < len(starts) else len(nodes)
            node = nodes[start]
            base = node.arguments[0].value
            name = node.arguments[2].value.lower() if len(node.arguments) == 3 else ""
            # the base word is looked up after expansion; a later stage of the same name hides the earlier one
            word = self._expand_meta(base)
            parent = names.get(word.lower()) if word is not None else None
            image = None if parent is not None else word
            steps = tuple([Step(index, number, nodes[index]) for index in range(start + 1, stop)])
            stages.append(Stage(number, name, base, parent, image, node, start, steps))
            if name:
                names[name] = number
        self.stages = tuple(stages)

    def _expand_meta(self, word: str) -> str | None:
        """A FROM word with the ARGs before the first FROM; None where a value is not known (a build argument may
        replace any of them, so that a default is what the file says, not what a build must use)."""
        if "$" not in word and self.dockerfile.escape not in word and "'" not in word and '"' not in word:
            return word
        from dfopt.ir.scopes import expand_meta

        return expand_meta(self.dockerfile, self.meta, word)

    @property
    def final(self) -> Stage | None:
        """The stage that a build without --target makes."""
        return self.stages[-1] if self.stages else None

    def stage_named(self, reference: str, before: int) -> int | None:
        """The stage that `COPY --from=reference` in stage `before` means: by name (any case), or by number."""
        name = reference.lower()
        for stage in reversed(self.stages[:before]):
            if stage.name and stage.name == name:
                return stage.index
        number = whole_number(name) if name.isdigit() and name.isascii() else before
        return number if number < before else None

    def copies_from(self, stage: Stage) -> set[int]:
        """The stages whose files `stage` takes by COPY --from or RUN --mount=from= (callers must not mutate it)."""
        taken = self._copies_from.get(stage.index)
        if taken is not None:
            return taken
        taken = self._copies_from[stage.index] = {index for step in stage.steps for index in self.stages_read(step)}
        return taken

    def stages_read(self, step: Step) -> list[int]:
        """The stages whose files a step takes by COPY --from or RUN --mount=from=."""
        from dfopt.syntax.mounts import mounts

        node = step.effective
        references = [flag.value for flag in node.flags if flag.name == "from" and flag.value]
        references += [mount.image for mount in mounts(node)]
        indices = [self.stage_named(reference, step.stage) for reference in references]
        return [index for index in indices if index is not None]

    def root(self, stage: Stage) -> Stage:
        """The stage of the file that `stage` stands on in the end; itself where that is none."""
        while stage.parent is not None:
            stage = self.stages[stage.parent]
        return stage

    def children(self, stage: Stage) -> list[Stage]:
        """The stages built FROM this one, in order (callers must not mutate it)."""
        if self._children is None:
            self._children = [[] for _ in self.stages]
            for other in self.stages:
                if other.parent is not None:
                    self._children[other.parent].append(other)
        return self._children[stage.index]

    def family(self, stage: Stage) -> Iterator[Stage]:
        """The stage and those built FROM it, directly or not, each before those that stand on it."""
        waiting = [stage]
        while waiting:
            following = waiting.pop()
            yield following
            waiting += reversed(self.children(following))

    def shipped(self) -> frozenset[int]:
        """The stages whose layers can reach an image that is kept: the final one, every stage that no other stage
        uses (a --target), and what these are built FROM."""
        if self._shipped is None:
            used: set[int] = set()
            for stage in self.stages:
                if stage.parent is not None:
                    used.add(stage.parent)
                used |= self.copies_from(stage)
            leaves = [stage.index for stage in self.stages if stage.index not in used or stage is self.final]
            indices: set[int] = set()
            for leaf in leaves:
                at: int | None = leaf
                while at is not None and at not in indices:
                    indices.add(at)
                    at = self.stages[at].parent
            self._shipped = frozenset(indices)
        return self._shipped

    def run_steps(self) -> list[tuple[Stage, int, Step, str]]:
        """Every RUN, ONBUILD's too: its stage, its position there, the step, and all that it says (its joined line and
        its heredocs)."""
        if self._run_steps is None:
            self._run_steps = []
            for stage in self.stages:
                for position, step in enumerate(stage.steps):
                    if step.effective.keyword == "RUN":
                        text = step.node.joined.text
                        if step.node.heredocs:
                            text += "".join([self.text[doc.start : doc.end] for doc in step.node.heredocs])
                        self._run_steps.append((stage, position, step, text))
        return self._run_steps

    def body(self, step: Step) -> Body:
        """The shell program of a RUN, CMD, ENTRYPOINT or HEALTHCHECK step (parsed once)."""
        self.work.spend()
        body = self._bodies.get(step.index)
        if body is None:
            from dfopt.ir.shell_body import make_body

            body = self._bodies[step.index] = make_body(self.dockerfile, step, self.scope(step))
        return body

    def steps_between(self, first: Step, other: Step) -> list[Step]:
        """The steps between two of a stage."""
        steps = self.stages[first.stage].steps
        start = bisect_right(steps, first.index, key=_index_of)
        return list(steps[start : bisect_left(steps, other.index, start, key=_index_of)])

    def commands(self, step: Step) -> CommandList:
        """The invocations of a step's body (listed once)."""
        listed = self._commands.get(step.index)
        if listed is None:
            from dfopt.ir.commands import commands

            listed = self._commands[step.index] = commands(self.body(step))
        return listed

    def run_commands(self, step: Step) -> CommandList:
        """The invocations of a RUN in either form: for callers that only read them, as those of the exec form have no
        true spans. None where the shell text cannot be parsed."""
        if step.node.form == "json":
            from dfopt.ir.commands import argv_commands

            return argv_commands([argument.value for argument in step.node.arguments])
        return self.commands(step)

    def effects(self, step: Step) -> list[Effect]:
        """What a step does to files and packages (computed once; callers must not mutate it)."""
        self.work.spend()
        effects = self._effects.get(step.index)
        if effects is None:
            from dfopt.ir.effects import copy_effects, run_effects

            keyword = step.effective.keyword
            scope = self.scope(step)
            if keyword in ("COPY", "ADD"):
                effects = copy_effects(step, scope, self.dockerfile.escape)
            elif keyword == "RUN":
                effects = run_effects(step, self.body(step), scope.workdir)
            else:
                effects = []
            self._effects[step.index] = effects
        return effects

    def shell_state(self, step: Step) -> ShellStateEffects:
        """What a step does to the shell that runs it (computed once); its body must have been parsed."""
        state = self._shell_states.get(step.index)
        if state is None:
            from dfopt.ir.shell_state import shell_state_effects

            state = self._shell_states[step.index] = shell_state_effects(self.body(step))
        return state

    def not_understood(self) -> list[tuple[Step, str]]:
        """The steps whose shell text some pass asked for and could not be given, with the reason."""
        steps = {step.index: step for stage in self.stages for step in stage.steps}
        return [
            (steps[index], body.why)
            for index, body in sorted(self._bodies.items())
            if body.program is None and body.form not in ("exec", "none")
        ]

    def scope(self, step: Step) -> Scope:
        """The state in which `step` runs: what the instructions before it set."""
        self.work.spend()
        stage = self.stages[step.stage]
        return self._stage_scopes(stage)[step.index - stage.position - 1]

    def end_scope(self, stage: Stage) -> Scope:
        """The state at the end of a stage, which is the image config that it makes."""
        return self._stage_scopes(stage)[-1]

    def _stage_scopes(self, stage: Stage) -> list[Scope]:
        """The scopes of a stage, those of the stages below it computed first: a chain of any length takes no stack."""
        below = []
        at: Stage | None = stage
        while at is not None and at.index not in self._scopes:
            below.append(at)
            at = self.stages[at.parent] if at.parent is not None else None
        for at in reversed(below):
            from dfopt.ir.scopes import stage_scopes

            parent = self._scopes[at.parent][-1] if at.parent is not None else None
            self._scopes[at.index] = stage_scopes(at, parent, self.dockerfile.escape)
        return self._scopes[stage.index]
