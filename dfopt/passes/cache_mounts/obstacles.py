"""What rules out a cache mount at a command: how it is called, what its RUN says, and who uses the cache later."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import check_release
from dfopt.analysis.run_steps import no_network, run_text
from dfopt.ir.commands import TOP
from dfopt.knowledge import table
from dfopt.passes.cache_mounts.places import offline, turned_off, uses
from dfopt.refusal import Refusal
from dfopt.rewrites.cache_mounts import later_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.cache_mounts.places import CacheUse


def check_uses(program: Program, facts: Facts, stage: Stage, step: Step, family_uses: list[CacheUse]) -> None:
    """Raises Refusal where something rules out a mount for these commands of one family."""
    use, text = family_uses[0], run_text(program, step)
    row, name = use.row, use.invocation.program
    if any(offline(program, step, other) for other in family_uses):
        raise Refusal(f"{name} works without the network")
    if "only" in row and any(other.invocation.program not in row["only"] for other in family_uses):
        raise Refusal(f"{name} empties its cache, or keeps it elsewhere")
    if any(other.tool is not None and other.tool.given("cache-options") for other in family_uses):
        raise Refusal("an option puts the cache elsewhere")
    if use.tool is not None:
        check_release(program, step, use.tool)
    variable = turned_off(program, step, facts, use)
    if variable:
        raise Refusal(f"{variable} is set")
    if "unless" in row and re.search(row["unless"], text):
        raise Refusal(f"{name} is configured to keep its files elsewhere")
    if "needs" in row and not any(re.search(row["needs"], run_text(program, other)) for other in stage.steps):
        raise Refusal(row["needs-why"])
    if row.get("classic") and not use.invocation.has_option("--frozen-lockfile") and "cache clean" in text:
        raise Refusal("whether `yarn cache clean` empties this cache is not known")
    if use.family == "apt" and not _index_refreshed(program, step, family_uses):
        raise Refusal("the package index comes from another layer")
    _check_readers(program, step, use)


def _index_refreshed(program: Program, step: Step, family_uses: list[CacheUse]) -> bool:
    """Whether the RUN renews apt's index before its first use."""
    first = min(use.invocation.node.start for use in family_uses)
    return any(
        invocation.program in ("apt-get", "aptitude", "apt")
        and "update" in invocation.values[:2]
        and invocation.where == TOP
        and invocation.node.start < first
        for invocation in program.commands(step).invocations
    )


def _check_readers(program: Program, step: Step, use: CacheUse) -> None:
    """Raises Refusal where the image's own start, or a later step that gets no mount, uses the cache."""
    name = use.invocation.program
    start_pattern = use.row.get("runs") or (rf"(?<![\w./-]){name}(?![\w-])" if use.row.get("used") else "")
    for _, later in later_steps(program, step):
        node = later.effective
        starts = node.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK")
        match = re.search(start_pattern, node.joined.text[node.at :]) if starts and start_pattern else None
        if match is not None:
            raise Refusal(f"line {node.line} runs {match[0]}, which may use the cache")
        if node.keyword != "RUN":
            continue
        same = [other for other in uses(program, later) if other.family == use.family]
        closed = no_network(node) and re.search(rf"\b{name}\b", run_text(program, later))
        if closed or any(offline(program, later, other) for other in same):
            raise Refusal(f"line {node.line} works without the network")
        if use.row.get("used") and not same and _may_run_anything(program, later):
            raise Refusal(f"line {node.line} runs an opaque command, which might use the cache")


def _may_run_anything(program: Program, step: Step) -> bool:
    """Whether a RUN calls a build tool or a script, which may call others."""
    if program.body(step).program is None or any(effect.kind == "opaque" for effect in program.effects(step)):
        return True
    build_tools = table("programs")["opaque"]["names"]
    return any(invocation.program in build_tools for invocation in program.commands(step).invocations)
