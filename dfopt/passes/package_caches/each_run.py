"""What the passes do alike that look at the RUNs of a package manager, one by one."""

from __future__ import annotations

from dfopt.analysis.run_steps import shipped_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from dfopt.facts import Facts
    from dfopt.findings import Finding
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class EachRun:
    """A finding, or none, for each RUN that holds a word of interest, in the stages of the option STAGES.

    family  of the table package_managers
    words   what a RUN's text must hold one of; without any, the family's name
    """

    family: ClassVar[str]
    words: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:
        name: ClassVar[str]
        settings: dict[str, Any]

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage, position, step in shipped_runs(program, self.settings["stages"], *(self.words or (self.family,))):
            finding = self.check(program, facts, stage, position, step)
            if finding is not None:
                yield finding

    def check(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step) -> Finding | None:
        """What is found in one RUN."""
        raise NotImplementedError
