"""A RUN that only fetches apt's package index, which nothing reads."""

from __future__ import annotations

from dfopt.analysis.apt_index import LISTS
from dfopt.analysis.cache_readers import index_reader
from dfopt.analysis.child_images import index_reader_outside
from dfopt.analysis.index_at_start import index_reader_at_start
from dfopt.editing.chain_edits import whole_step
from dfopt.findings import Fix
from dfopt.ir.effects import covers
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


def without_update(program: Program, facts: Facts, stage: Stage, position: int) -> Fix | None:
    """The fix that takes such a RUN out; None where a later step reads the index. Raises Refusal."""
    step = stage.steps[position]
    deleted = any(effect.kind == "deletes" and covers(effect.path, LISTS) for effect in program.effects(step))
    tier = "safe"
    if not deleted:
        reader, opaque = index_reader(program, stage, position, "apt")
        if reader is not None:
            return None
        tier = "safe" if opaque is None else "unsafe"
        outside = index_reader_outside(program, facts, stage, "apt")
        if outside:
            raise Refusal(
                f"{outside} may be built on this image, and installs without refreshing the index",
                "give that file an `apt-get update` of its own",
            )
        call = index_reader_at_start(program, facts, stage, "apt")
        if call:
            raise Refusal(f"the image runs `{call}` when it starts, and needs the index", "run `apt-get update` there")
    if step.node.above or step.node.comments:
        raise Refusal("a comment documents the RUN", "remove the comment with the RUN")
    return Fix((whole_step(program.text, step),), (RemoveStep(step.index),), tier)
