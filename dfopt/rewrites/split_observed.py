"""The declared rewrite of a split by evidence: as that of a split, but what is copied is what a build showed.

A build and a smoke test of the result judge the files, since the text does not tell which a tool wrote; of the text is
checked what it can tell: the builder, the settings, and that the new stage only installs, copies from the builder, and
sets modes, owners and links.
"""

from __future__ import annotations

from dfopt.rewrites.split_stage import SplitStage, runs_more

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Model


class SplitObserved(SplitStage):
    """As SplitStage. `comments`: above COPYs of the new stage, why they are there."""

    comments: tuple[str, ...] = ()

    def apply(self, model: Model) -> None:
        super().apply(model)
        model.added += self.comments

    def _files(self, program: Program, old: Stage, edited: Program, new: Stage) -> str:
        for part in self.runtime:
            if part.step < 0 and (reason := runs_more(part, self.builder)):
                return reason
        return ""
