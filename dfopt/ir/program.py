"""The lowered file: stages, the graph between them, and steps with their shell programs.

A `Program` is made once per text and shared by all passes; what is costly (shell trees, scopes, effects) is computed
when first asked for, and kept.
"""

from __future__ import annotations

from dfopt.ir.stages import Stage, Step
from dfopt.syntax.tree import Dockerfile, Instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import CommandList
    from dfopt.ir.effects import Effect
    from dfopt.ir.scopes import Scope
    from dfopt.ir.shell_body import Body
    from dfopt.ir.shell_state import Leaks


class Program:
    """The IR of one file."""

    __slots__ = (
        "_bodies",
        "_commands",
        "_effects",
        "_leaks",
        "_runs",
        "_scopes",
        "_shipped",
        "dockerfile",
        "meta",
        "stages",
        "text",
    )

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.dockerfile = dockerfile
        self.text = dockerfile.text
        self.meta: tuple[Instruction, ...] = ()
        self.stages: tuple[Stage, ...] = ()
        self._bodies: dict[int, Body] = {}
        self._commands: dict[int, CommandList] = {}
        self._effects: dict[int, list[Effect]] = {}
        self._leaks: dict[int, Leaks] = {}
        self._runs: list[tuple[Stage, int, Step, str]] | None = None
        self._scopes: dict[int, list[Scope]] = {}
        self._shipped: frozenset[int] | None = None
        self._lower()

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
        wanted = reference.lower()
        for stage in reversed(self.stages[:before]):
            if stage.name and stage.name == wanted:
                return stage.index
        if wanted.isdigit() and wanted.isascii() and int(wanted) < before:
            return int(wanted)
        return None

    def copies_from(self, stage: Stage) -> set[int]:
        """The stages whose files `stage` takes by COPY --from or RUN --mount=from=."""
        from dfopt.syntax.validate import mount_fields

        found: set[int] = set()
        for step in stage.steps:
            node = step.effective
            references: list[str] = []
            for flag in node.flags:
                if flag.name == "from" and flag.value:
                    references.append(flag.value)
                elif flag.name == "mount" and flag.value:
                    for field in mount_fields(flag.value):
                        key, _, value = field.partition("=")
                        if key.lower() == "from":
                            references.append(value)
            for reference in references:
                index = self.stage_named(reference, stage.index)
                if index is not None:
                    found.add(index)
        return found

    def root(self, stage: Stage) -> Stage:
        """The stage of the file that `stage` stands on in the end; itself where that is none."""
        while stage.parent is not None:
            stage = self.stages[stage.parent]
        return stage

    def children(self, stage: Stage) -> list[Stage]:
        """The stages built FROM this one."""
        return [other for other in self.stages if other.parent == stage.index]

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
            found: set[int] = set()
            for leaf in leaves:
                at: int | None = leaf
                while at is not None and at not in found:
                    found.add(at)
                    at = self.stages[at].parent
            self._shipped = frozenset(found)
        return self._shipped

    def runs(self) -> list[tuple[Stage, int, Step, str]]:
        """Every RUN, ONBUILD's too: its stage, its position there, the step, and all that it says (its joined line and
        its heredocs)."""
        if self._runs is None:
            self._runs = []
            for stage in self.stages:
                for position, step in enumerate(stage.steps):
                    if step.effective.keyword == "RUN":
                        text = step.node.joined.text
                        if step.node.heredocs:
                            text += "".join([self.text[doc.start : doc.end] for doc in step.node.heredocs])
                        self._runs.append((stage, position, step, text))
        return self._runs

    def body(self, step: Step) -> Body:
        """The shell program of a RUN, CMD, ENTRYPOINT or HEALTHCHECK step (parsed once)."""
        found = self._bodies.get(step.index)
        if found is None:
            from dfopt.ir.shell_body import make_body

            found = self._bodies[step.index] = make_body(self, step)
        return found

    def between(self, one: Step, other: Step) -> list[Step]:
        """The steps between two of a stage."""
        return [step for step in self.stages[one.stage].steps if one.index < step.index < other.index]

    def commands(self, step: Step) -> CommandList:
        """The invocations of a step's body (listed once)."""
        found = self._commands.get(step.index)
        if found is None:
            from dfopt.ir.commands import commands

            found = self._commands[step.index] = commands(self.body(step))
        return found

    def effects(self, step: Step) -> list[Effect]:
        """What a step does to files and packages (told once; not to be changed by who asks)."""
        found = self._effects.get(step.index)
        if found is None:
            from dfopt.ir.effects import step_effects

            found = self._effects[step.index] = step_effects(self, step)
        return found

    def leaks(self, step: Step) -> Leaks:
        """What a step does to the shell that runs it (told once); its body is understood."""
        found = self._leaks.get(step.index)
        if found is None:
            from dfopt.ir.shell_state import leaks

            found = self._leaks[step.index] = leaks(self.body(step))
        return found

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
        found = self._scopes.get(step.stage)
        if found is None:
            from dfopt.ir.scopes import stage_scopes

            found = self._scopes[step.stage] = stage_scopes(self, self.stages[step.stage])
        return found[step.index - self.stages[step.stage].position - 1]

    def end_scope(self, stage: Stage) -> Scope:
        """The state at the end of a stage, which is the image config that it makes."""
        if stage.index not in self._scopes:
            from dfopt.ir.scopes import stage_scopes

            self._scopes[stage.index] = stage_scopes(self, stage)
        return self._scopes[stage.index][-1]
