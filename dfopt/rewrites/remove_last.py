"""The declared rewrite that takes the last command off a list."""

from __future__ import annotations

from dfopt.ir.exit_status import errexit_throughout
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.rewrites.base import Model


class RemoveLast(Rewrite):
    """The last command of a RUN's list, at `offset` of its shell text, goes with the `;` before it.

    The list's status becomes that of the command before: the same where `set -e` would have ended the step on its
    failure, which it does for a simple command.
    """

    step: int
    offset: int

    def claim(self) -> Claim:
        return Claim(frozenset({self.step}), False)

    def apply(self, model: Model) -> None:
        model.item(self.step)
        term = model.shell(self.step)
        pairs: tuple[Any, ...] = term[1] if term[0] == "list" else ()
        if len(pairs) < 2 or pairs[-1][0][:2] != ("cmd", self.offset):
            raise Refusal("the command is not the last of a list")
        if any(end != ";" for _, end in pairs) or pairs[-2][0][0] != "cmd":
            raise Refusal("the step's status would be that of more than a simple command")
        if not errexit_throughout(model.program.body(model.steps[self.step])):
            raise Refusal("the step is not under `set -e`: its status would become another")
        rest = pairs[:-1]
        model.shells[self.step] = rest[0][0] if len(rest) == 1 else ("list", rest)
