"""What package managers leave in the layers of an image: indexes and caches that no command of the same RUN deletes."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.cost import cache_bytes
from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


def leftover_bytes(program: Program) -> int:
    """The bytes of the indexes and caches that RUNs leave in the last stage's image, each in its layer, by the table of
    savings."""
    steps = layer_steps(program, program.final) if program.final is not None else ()
    return sum(cache_bytes(family) for step in steps for family in _families(program, step))


def _families(program: Program, step: Step) -> set[str]:
    """The families of package managers whose index or cache a RUN leaves."""
    if step.node.keyword != "RUN":
        return set()
    left: set[str] = set()
    text = program.body(step).text
    for tool in tools(program, step):
        facts, does = tool.facts, tool.does
        if does.get("cleans"):
            left.discard(tool.family)
        # what the images empty by themselves is no cache that stays: apt's packages
        elif does.get("refreshes") or (does.get("caches") and ("self-refreshing" in facts or "index" not in facts)):
            off = any(option in text for option in facts.get("no-cache", ()))
            if not off and not ("traces" in facts and re.search(facts["traces"], text)):
                left.add(tool.family)
    deleted = [effect.path for effect in program.effects(step) if effect.kind == "deletes"]
    return {family for family in left if not any(covers(path, place) for path in deleted for place in _places(family))}


def _places(family: str) -> Iterator[str]:
    """Where a family keeps its index or, without one, its cache."""
    for facts in table("package_managers").values():
        if facts.get("family") == family:
            yield from facts.get("index", ()) or facts.get("cache", ())
