"""Images whose own command installs packages, from the package index that the build left in them."""

from __future__ import annotations

import re

from dfopt.analysis.startup import started
from dfopt.ir.effects import manager
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.rewrites.cache_mounts import stages_built_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


def index_reader_at_start(program: Program, facts: Facts, stage: Stage, family: str) -> str:
    """The call by which an image of `stage`, or of one built on it, reads the family's package index when it starts,
    before it renews it; "" where CMD, ENTRYPOINT and the scripts of the build context that they start hold none."""
    managers = {name: row for name in table("package_managers") if (row := manager(name) or {})["family"] == family}
    commands = {name: does for row in managers.values() for name, does in row["commands"].items() if name}
    fresh = {option for row in managers.values() for option in row.get("fresh", ())}
    programs, subcommands = ("|".join(map(re.escape, names)) for names in (managers, commands))
    pattern = regex(
        rf"\b((?:{programs})\s+(?:-\S+\s+(?:[^\s-][^\s=]*=\S+\s+)?){{0,30}}({subcommands}))(?![\w-])([^;&|\n]*)"
    )
    for image in stages_built_on(program, stage):
        for call in pattern.finditer(started(program, image, facts).text):
            does = commands[call[2]]
            if does.get("refreshes"):
                break
            if does.get("reads-index") and not fresh.intersection(call[0].split()):
                return call[1]
    return ""
