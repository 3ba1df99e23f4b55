"""What is done about a copy of sources: it moves behind installs, or a download comes before it."""

from __future__ import annotations

from dfopt.passes.dependency_layers.added_download import add_download, has_download
from dfopt.passes.dependency_layers.copy_move import move_behind_installs
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.findings import Fix
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.dependency_layers.sources_copy import SourcesCopy


def fix_of(
    program: Program, copy: SourcesCopy, stage: Stage, position: int, moves: bool, adds: bool
) -> tuple[str, Fix] | None:
    """The copy behind installs, else a download before the copy: what it does, and the fix. Raises Refusal."""
    refusal: Refusal | None = None
    before, behind = stage.steps[:position], stage.steps[position + 1 :]
    parent = stage.parent
    while parent is not None:  # the image has what these made, too
        before = (*program.stages[parent].steps, *before)
        parent = program.stages[parent].parent
    if moves:
        try:
            move = move_behind_installs(program, copy, behind)
        except Refusal as error:
            move, refusal = None, error.copy()
        if move is not None:
            return move
    download = add_download(program, copy, before, behind) if adds else None
    if download is None and refusal is not None and not (adds and has_download(program, before)):
        raise refusal.copy()
    return download
