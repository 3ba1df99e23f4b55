"""What a stage needs of the image that is to come, as far as its steps were read."""

from __future__ import annotations

from dfopt.passes.swap_base.target import programs_of
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.swap_base.target import ReplacementBase


class Needs:
    """A stage on its way to another base.

    packages  that must be added, by Debian's names -> the line that needs each
    have      programs that are there, as far as the stage was read
    done      the steps that were read
    doubts    what is not known and a build and its smoke test would show; only of a `trial`
    """

    def __init__(
        self, program: Program, stage: Stage, target: ReplacementBase, facts: Facts, *, trial: bool = False
    ) -> None:
        self.program = program
        self.stage = stage
        self.target = target
        self.facts = facts
        self.packages: dict[str, int] = {}
        self.have: set[str] = set(target.own)
        self.done: list[Step] = []
        self.trial = trial
        self.doubts: list[str] = []

    def need(self, package: str, line: int) -> None:
        self.packages.setdefault(package, line)
        self.have.update(programs_of(package))

    def doubt(self, reason: str) -> None:
        """Something is not known that a build and its smoke test would show. Raises Refusal where neither is made."""
        if not self.trial:
            raise Refusal(reason)
        self.doubts.append(reason)
