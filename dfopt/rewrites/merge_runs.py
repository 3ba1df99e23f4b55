"""The declared rewrite that joins consecutive RUN steps into one `&&` chain."""

from __future__ import annotations

from dfopt.ir.model import and_term
from dfopt.refusal import Refusal
from dfopt.rewrites.base import JOINING, Claim, Rewrite
from dfopt.rewrites.join_checks import check_joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.model import Term
    from dfopt.rewrites.base import Model


class MergeRuns(Rewrite):
    """Consecutive RUN steps become one, at the place of the first, joined by `&&`; `wrapped[i]`: part i runs in ( )."""

    phase = JOINING
    steps: tuple[int, ...]
    wrapped: tuple[bool, ...]

    def claim(self) -> Claim:
        return Claim(frozenset(self.steps))

    def apply(self, model: Model) -> None:
        """Checks, on the original parts, that one shell does what several did, then joins them."""
        first = model.item(self.steps[0])
        check_joined(model.program, [model.steps[index] for index in self.steps], self.wrapped)
        result: Term | None = None
        for position, (index, wrapped) in enumerate(zip(self.steps, self.wrapped, strict=True)):
            step = model.steps[index]
            if position and self.steps[position - 1] != index - 1:
                raise Refusal("merged steps must be consecutive")
            if model.item(index).flags != first.flags or step.heredocs or model.program.body(step).form != "line":
                raise Refusal("merged steps must have equal flags and no heredocs, in shell form")
            part = model.shell(index)
            if wrapped:
                part = ("sub", part, ())
            result = part if result is None else and_term(result, part)
            if position:
                del model.items[index]
                del model.shells[index]
        assert result is not None
        model.shells[self.steps[0]] = result
