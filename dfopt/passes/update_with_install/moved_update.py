"""Whether an update may move into the RUN that installs."""

from __future__ import annotations

from dfopt.analysis.apt_index import check_place, check_sources, lone_update
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


def check_move(program: Program, stage: Stage, source: int, position: int, reader: Tool) -> None:
    """Raises Refusal where the update of step `source` cannot move into the step at `position`."""
    old, new = stage.steps[source], stage.steps[position]
    if old.node.above or old.node.comments:
        raise Refusal("a comment documents the update", "move the comment to the installation")
    if old.node.flags or any(flag.name != "mount" for flag in new.node.flags):
        raise Refusal("the flags of the two differ", "give the RUNs the same flags")
    if program.scope(old).user != program.scope(new).user or program.scope(old).shell != program.scope(new).shell:
        raise Refusal("another user or another shell runs the installation")
    update = lone_update(program, old)
    if update is None or update.invocation.wrappers != reader.invocation.wrappers:
        raise Refusal("the two are not run in the same way", "run both with sudo, or both without")
    for step in stage.steps[source + 1 : position]:
        check_sources(program, step)
    check_place(program.body(new).form, reader)
