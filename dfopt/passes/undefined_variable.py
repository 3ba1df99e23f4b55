from __future__ import annotations

from dfopt.analysis.base_variables import plain_uses, set_by_base, set_variables
from dfopt.analysis.run_steps import span_in_file
from dfopt.editing.keywords import instruction_above
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.ir.scopes import BUILD_ARGUMENTS
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import InsertStep
from dfopt.syntax.expand import ExpansionError, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.expand import Variable

_EXPANDED = frozenset(("ADD", "ARG", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"))


class UndefinedVariable(Pass):
    """Finds variables that nothing sets where an instruction expands them.

    An ARG before the first FROM is not known in a stage until the stage says `ARG NAME`; one instruction's variables
    are all expanded before it sets any, so that `ENV A=1 B=$A` takes an older A; and HOME, USER and the like are set
    when a container runs, not when ENV is read. Variables with a default (`${A:-1}`) are left alone; of those in a
    RUN's shell, only arguments before the first FROM are looked at.

    Why: the variable is empty, and the build goes on: a path begins at `/`, a version is missing.

    Example:

    ```dockerfile
    ARG VERSION=1.4
    FROM debian:13
    LABEL version=$VERSION
    ```

    ```dockerfile
    ARG VERSION=1.4
    FROM debian:13
    ARG VERSION
    LABEL version=$VERSION
    ```

    Where an ARG before the first FROM has the name, the rewrite declares it in the stage. Elsewhere the name that may
    be meant is told.

    Does nothing where the base image may set the variable: where its variables are known neither from the image at hand
    nor from a table, only slips of the keys and arguments before the first FROM are reported.

    Refuses: nothing. ONBUILD is left alone: what is set there, the later build knows.

    Declares: the stage gains an ARG, so that the value is not empty any more. `unsafe`: it is what the file means, and
    another image.
    """

    name = "undefined-variable"
    group = "correct"
    tiers = ("unsafe",)
    phase = "repair"
    codes = ("UndefinedVar", "DL3044")
    triggers = ("$",)
    order = 25
    declares = Declares(files="any", settings=("*",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        escape = program.dockerfile.escape
        outer = {pair.name: node.line for node in program.meta for pair in node.pairs}
        for stage in program.stages:
            reported: set[str] = set()
            for step in stage.steps:
                node = step.node
                if node.keyword == "RUN" and outer and "$" in node.body:
                    yield from self.in_shell(program, stage, step, outer, facts, reported)
                if node.keyword not in _EXPANDED or "$" not in node.body:
                    continue
                words = [(pair.value or "", pair.name, pair.value_at) for pair in node.pairs]
                words += [(argument.value, "", argument.at) for argument in node.arguments]
                for word, target, at in words:
                    if "$" not in word:
                        continue
                    try:
                        uses = variables(word, escape)
                    except ExpansionError:
                        continue
                    for use in uses:
                        if use.operator or use.name in reported or not use.name.isidentifier():
                            continue
                        if use.name == target or set_variables(program, stage).before(step, use.name):
                            continue
                        finding = self.undefined(program, stage, step, use, at, outer, facts)
                        if finding is not None:
                            reported.add(use.name)
                            yield finding

    def undefined(
        self, program: Program, stage: Stage, step: Step, use: Variable, at: int, outer: dict[str, int], facts: Facts
    ) -> Finding | None:
        """The finding of a variable that the file does not set before it is used; None where the base image may."""
        node, name = step.node, use.name
        base = set_by_base(program.root(stage).image, name, facts)
        if base:
            return None
        start, end = node.joined.span(at + use.start, at + use.end)
        if name in outer:
            return self.declared(program, step, name, outer[name], start, end)
        meant = set_variables(program, stage).near(step, name)
        if meant:
            return Finding(self.name, f"nothing sets {name}: it is empty; did you mean {meant}?", start, end)
        if base is None:
            return None
        message = f"nothing sets {name} before it is used: it is empty"
        if any(pair.name == name for pair in node.pairs):
            message = f"{name} is not yet set: an {node.keyword} expands all its values before it sets one"
        elif name in BUILD_ARGUMENTS:
            message += f" without ARG {name}"
        else:
            lines = [one.node.line for one in stage.steps if any(pair.name == name for pair in one.node.pairs)]
            message += f" (line {lines[0]} sets it too late)" if lines else ""
        return Finding(self.name, message, start, end)

    def in_shell(
        self, program: Program, stage: Stage, step: Step, outer: dict[str, int], facts: Facts, reported: set[str]
    ) -> Iterator[Finding]:
        """The arguments before the first FROM that a RUN's shell asks for, and that neither it nor the stage sets."""
        body = program.body(step)
        for name, node in plain_uses(body, outer).items():
            if name in reported:
                continue
            if set_variables(program, stage).before(step, name) or set_by_base(program.root(stage).image, name, facts):
                continue
            reported.add(name)
            start, end = span_in_file(step, body, node.start, node.end)
            yield self.declared(program, step, name, outer[name], start, end)

    def declared(self, program: Program, step: Step, name: str, line: int, start: int, end: int) -> Finding:
        """The finding of an argument before the first FROM that a stage does not declare."""
        message = f"{name} of line {line} is not known in this stage: it is empty without ARG {name}"
        edit = instruction_above(program.text, step.node, "ARG", name)
        rewrite = InsertStep(step.index, "ARG", (), ("pairs", ((name, None),)))
        return Finding(self.name, message, start, end, Fix((edit,), (rewrite,), "unsafe"))
