"""How much a smaller base image saves."""

from __future__ import annotations

from dfopt.analysis.image_sizes import base_benefit, image_has
from dfopt.analysis.package_managers import package_name, tools
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.facts import Facts
    from dfopt.findings import Benefit
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


def swap_benefit(program: Program, stage: Stage, image: str, added: Iterable[str], facts: Facts) -> Benefit | None:
    """What a stage saves with `image` for its base, to which the packages `added` come; and those that the stage
    installs by name and the old base has already. None where the sizes are not known."""
    return base_benefit(stage.image or "", image, [*added, *_had(program, stage, image)], facts)


def _had(program: Program, stage: Stage, image: str) -> list[str]:
    """The packages of a compiler that the stage installs, where its base image has one and the other has none."""
    if "cc" not in image_has(stage.image or "") - image_has(image):
        return []
    brought = frozenset(table("split_packages")["brought"]["cc"])
    installs = [
        tool
        for step in layer_steps(program, stage)
        if step.node.keyword == "RUN"
        for tool in tools(program, step)
        if tool.does.get("installs")
    ]
    names = [package_name(package) for tool in installs for package in tool.packages]
    return [name for name in names if name in brought]
