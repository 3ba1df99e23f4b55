"""RUN steps that hold a word of interest, the place of a command in the file, and why one is left alone."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.tree import Instruction


class RunSite(Record):
    """A RUN that a pass looks at, and where it stands: the `position` among the steps of its stage."""

    program: Program
    facts: Facts
    stage: Stage
    position: int
    step: Step

    @property
    def body(self) -> Body:
        return self.program.body(self.step)

    @property
    def later_steps(self) -> tuple[Step, ...]:
        """The steps of the stage after this one."""
        return tuple(self.stage.steps[self.position + 1 :])


def understood_runs(program: Program, is_wanted: Callable[[str], object]) -> Iterator[tuple[Step, Body]]:
    """The RUNs (under ONBUILD too) whose text, heredocs included, passes `is_wanted`, with their shell programs. Those
    that are not understood are skipped: the optimizer reports them."""
    for _, _, step, text in program.run_steps():
        if is_wanted(text):
            body = program.body(step)
            if body.program is not None:
                yield step, body


def run_text(program: Program, step: Step) -> str:
    """All that a RUN says: its joined line and its heredocs."""
    text = step.node.joined.text
    return text + "".join([program.text[doc.start : doc.end] for doc in step.heredocs]) if step.heredocs else text


def no_network(node: Instruction) -> bool:
    """Whether a RUN runs without a network: then it downloads nothing."""
    return any(flag.name == "network" and flag.value == "none" for flag in node.flags)


def invocations(program: Program, is_wanted: Callable[[str], object]) -> Iterator[tuple[Step, Body, Invocation]]:
    """Every command of the RUNs whose text passes `is_wanted`."""
    for step, body in understood_runs(program, is_wanted):
        for invocation in program.commands(step).invocations:
            yield step, body, invocation


def span_in_file(step: Step, body: Body, start: int, end: int, nested: bool = False) -> tuple[int, int]:
    """A span of a step's shell text in the file; the whole instruction where the text is not the file's own."""
    if nested or body.form not in ("line", "script"):
        return step.node.start, step.node.end
    return body.span(start, end)


def edit_obstacle(step: Step, body: Body, reachable: bool, what: str) -> str:
    """Why the commands of a RUN are left as they are, "" where they are not. `reachable`: one of them at least stands
    in the step's own text; `what` runs there."""
    if step.node.keyword == "ONBUILD":
        return "ONBUILD triggers are left as they are"
    if body.form == "mixed":
        return "the command line carries heredocs"
    return "" if reachable else f"{what} runs in a string or a substitution that is not rewritten"


def shipped_runs(program: Program, which: str, *words: str) -> Iterator[tuple[Stage, int, Step]]:
    """(stage, position in it, step) of each RUN, ONBUILD's too, whose text holds one of `words`; `which` is the value
    of the option STAGES."""
    shipped = program.shipped() if which == "shipped" else None
    for stage, position, step, text in program.run_steps():
        if shipped is None or stage.index in shipped:
            for word in words:
                if word in text:
                    yield stage, position, step
                    break
