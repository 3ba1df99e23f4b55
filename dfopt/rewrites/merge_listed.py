"""A declared rewrite: RUNs under `set -e` become one, each in a subshell of a list under `set -e`."""

from __future__ import annotations

from dfopt.ir.exit_status import errexit_throughout
from dfopt.ir.shell_state import shell_state_effects
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.rewrites.join_checks import check_links, check_place, check_shell
from dfopt.syntax.shell.nodes import AndOr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.model import Term
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Model

_ON: Term = ("cmd", -1, (), ("set", "-e"), ())
_OFF: Term = ("cmd", -1, (), ("set", "+e"), ())


class MergeListed(Rewrite):
    """Consecutive RUNs become one, at the place of the first: `set -e; (first); (second); ...`.

    In front of `&&`, `set -e` has no effect inside a part. In a list it has, and ends the list where a subshell fails,
    whatever failed in it. A part that is not under `set -e` itself begins with `set +e`, unless it makes no difference
    to it; one that is a command without state stands there as it is."""

    steps: tuple[int, ...]

    def claim(self) -> Claim:
        return Claim(frozenset(self.steps))

    def apply(self, model: Model) -> None:
        first = model.item(self.steps[0])
        elements: list[tuple[Term, str]] = [(_ON, ";")]
        for position, index in enumerate(self.steps):
            step, item = model.steps.get(index), model.item(index)
            if position and self.steps[position - 1] != index - 1:
                raise Refusal("merged steps must be consecutive")
            if step is None or item.keyword != "RUN" or item.flags != first.flags or step.heredocs:
                raise Refusal("merged steps must be RUNs with equal flags and no heredocs")
            last = index == self.steps[-1]
            check_listed(model.program, step, first=position == 0, last=last)
            form = element_form(model.program, step, last=last)
            part = model.shell(index)
            if form == OFF:
                own = part[1] if part[0] == "list" else ((part, ";"),)
                part = ("list", ((_OFF, ";"), *own))
            elements.append((part if form == BARE else ("sub", part, ()), ";"))
            if position:
                del model.items[index]
                del model.shells[index]
        model.shells[self.steps[0]] = ("list", tuple(elements))


BARE, SUBSHELL, OFF = "bare", "subshell", "off"


def element_form(program: Program, step: Step, *, last: bool) -> str:
    """How a RUN stands in a list under `set -e`: BARE, in a SUBSHELL, or in one that begins with `set +e` (OFF)."""
    body, state = program.body(step), program.shell_state(step)
    assert body.program is not None
    # of a chain, `set -e` sees the end alone, whose failure is the step's anyway: but not what runs in a substitution
    indifferent = state.plain and not state.errexit and "$(" not in body.text and "`" not in body.text
    if errexit_throughout(body) or not indifferent:
        return SUBSHELL if errexit_throughout(body) else OFF
    single = not isinstance(body.program.script.items[0].command, AndOr)
    return BARE if not state.state and not state.lists and (single or last) else SUBSHELL


def check_listed(program: Program, step: Step, *, first: bool, last: bool) -> None:
    """Raises Refusal unless a RUN keeps its meaning in a subshell of a list under `set -e`."""
    body = program.body(step)
    if body.program is None or body.form != "line":
        raise Refusal(body.why or "the RUN carries heredocs")
    effects = shell_state_effects(body)
    if effects.never:
        raise Refusal(effects.never[0])
    if effects.history:
        raise Refusal(f"{effects.history[0]} depends on what its shell did before")
    check_shell(program, step, first=first, last=last)
    if not last:
        check_links(program, step)
        check_place(program, step)
