"""What stands against a cache mount at a command: how it is called, what its RUN says, and who uses the cache later."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import check_release
from dfopt.analysis.run_steps import no_network, run_text
from dfopt.ir.commands import TOP
from dfopt.knowledge import table
from dfopt.passes.cache_mounts.places import offline, turned_off, uses
from dfopt.rewrites.cache_mounts import later_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.cache_mounts.places import Use


def obstacle(program: Program, facts: Facts, stage: Stage, step: Step, found: list[Use]) -> str:
    """What stands against a mount for these commands of one family; "" where nothing does."""
    use, text = found[0], run_text(program, step)
    row = use.row
    if no_network(step.node) or any(map(offline, found)):
        return f"{use.one.program} works without the network"
    if any(one.one.program not in row["only"] for one in found if "only" in row):
        return f"{use.one.program} empties its cache, or keeps it elsewhere"
    if any(one.tool is not None and one.tool.given("cache-options") for one in found):
        return "an option puts the cache elsewhere"
    if use.tool is not None:
        check_release(program, step, use.tool)
    off = turned_off(program, step, facts, use)
    if off:
        return f"{off} is set"
    if "unless" in row and re.search(row["unless"], text):
        return f"{use.one.program} is told where to keep its files"
    if "needs" in row and not any(re.search(row["needs"], run_text(program, one)) for one in stage.steps):
        return str(row["needs-why"])
    if row.get("classic") and not use.one.has_option("--frozen-lockfile") and "cache clean" in text:
        return "whether `yarn cache clean` empties this cache is not known"
    if use.family == "apt":
        reason = _index_obstacle(program, step, found)
        if reason:
            return reason
    return _user(program, step, use)


def _index_obstacle(program: Program, step: Step, found: list[Use]) -> str:
    first = min(use.one.node.start for use in found)
    for one in program.commands(step).invocations:
        renews = one.program in ("apt-get", "aptitude", "apt") and "update" in one.values[:2]
        if renews and one.where == TOP and one.node.start < first:
            return ""
    return "the package index comes from another layer"


def _user(program: Program, step: Step, use: Use) -> str:
    """What of the image's own start, or of later steps, uses the cache; "" where nothing does."""
    runs_it = use.row.get("runs") or (rf"(?<![\w./-]){use.one.program}(?![\w-])" if use.row.get("used") else "")
    for _, later in later_steps(program, step):
        node = later.effective
        starts = node.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK")
        match = re.search(runs_it, node.joined.text[node.at :]) if starts and runs_it else None
        if match is not None:
            return f"line {node.line} runs {match[0]}, which may use the cache"
        if node.keyword != "RUN":
            continue
        same = [one for one in uses(program, later) if one.family == use.family]
        if any(map(offline, same)):
            return f"line {node.line} works without the network"
        if use.row.get("used") and not same and _may_run_anything(program, later):
            return f"line {node.line} runs what cannot be seen into, and might use the cache"
    return ""


def _may_run_anything(program: Program, step: Step) -> bool:
    """Whether a RUN calls a build tool or a script, which may call others."""
    if program.body(step).program is None or any(one.kind == "opaque" for one in program.effects(step)):
        return True
    names = table("programs")["opaque"]["names"]
    return any(one.program in names for one in program.commands(step).invocations)
