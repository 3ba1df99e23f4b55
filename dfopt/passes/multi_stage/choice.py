"""Which plan a split follows: what the text proves, or what a build and its smoke test show; and what it saves."""

from __future__ import annotations

from dfopt.analysis.image_sizes import SOURCE, known_bytes
from dfopt.analysis.leftover_caches import leftover_bytes
from dfopt.findings import Benefit
from dfopt.passes.multi_stage.observed import SavesLittle, observed_plan
from dfopt.passes.multi_stage.plan import split_plan
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.plan import SplitPlan


def chosen_plan(program: Program, stage: Stage, facts: Facts, settings: Mapping[str, Any]) -> SplitPlan | None:
    """The plan for a stage, by the pass's settings; None where there is nothing to split. Raises Refusal,
    RecipeError."""
    keep = tuple(settings["keep"])
    if settings["by"] != "proof":
        plan = observed_plan(program, stage, facts, keep, bare=settings["by"] == "minimum")
        if plan is None and (failure := facts.unbuilt()):
            raise Refusal("what the run needs is not known", f"mend the build, which failed: {failure}")
        return plan
    refusal = None
    try:
        plan = split_plan(program, stage, facts, str(settings["base"]), tuple(settings["recipes"]))
    except Refusal as reason:
        plan, refusal = None, reason.copy()
    if plan is None:
        try:
            plan = observed_plan(program, stage, facts, keep)
        except SavesLittle as reason:  # said where a split was looked for
            refusal = reason.copy() if refusal is not None else None
        except Refusal as reason:  # what stands in the way once there is a build
            refusal = reason.copy()
    if plan is None and refusal is not None:
        if failure := facts.unbuilt():
            refusal.unblock = f"mend the build, which failed: {failure}"
        raise refusal
    return plan


def benefit_of(program: Program, stage: Stage, plan: SplitPlan, facts: Facts) -> Benefit | None:
    """What a split saves: as a build showed, else by the tables; None where they do not know the images."""
    if plan.saved is not None:
        return Benefit(bytes=plan.saved, origin="measured", source="a build of the file")
    before = known_bytes(program.root(stage).image or "", plan.base_mb, facts)
    after = known_bytes(plan.image, plan.run_mb, facts)
    if before is None or after is None:
        return None
    saved = before + plan.left_mb * 1_000_000 - after
    # what package managers leave in the layers of today stays in the builder, too
    return Benefit(bytes=saved + leftover_bytes(program), source=SOURCE)
