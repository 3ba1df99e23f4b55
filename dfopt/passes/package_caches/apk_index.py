"""Who fetches, keeps and needs apk's package index."""

from __future__ import annotations

from dfopt.analysis.package_managers import tools
from dfopt.ir.commands import MAYBE
from dfopt.lazy import regex
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_RELEASE = regex(r"alpine:?v?(\d+)\.(\d+)")


def fetches_index(tool: Tool) -> bool:
    """Whether a command fetches the index, and keeps it where no option says otherwise."""
    return bool(tool.does.get("reads-index")) and not tool.given("cache-options")


def alpine_release(program: Program, step: Step) -> tuple[int, int] | None:
    """The release of Alpine that a stage is built on, where the image's tag says so."""
    match = _RELEASE.search(program.scope(step).image or "")
    return (whole_number(match[1]), whole_number(match[2])) if match else None


def later_index_reader(program: Program, stage: Stage, position: int) -> tuple[Step | None, Step | None]:
    """(the first later step that needs the index of this one, the first that runs an opaque command)."""
    opaque: Step | None = None
    waiting = [(stage, position + 1)]
    while waiting:
        here, first = waiting.pop()
        for step in here.steps[first:]:
            outcome = _outcome(program, step)
            if outcome == "reads":
                return step, opaque
            if outcome == "refreshes":
                break
            if opaque is None and any(effect.kind == "opaque" for effect in program.effects(step)):
                opaque = step
        else:
            waiting += [(child, 0) for child in reversed(program.children(here))]
    return None, opaque


def _outcome(program: Program, step: Step) -> str:
    """Whether a step "reads" the index or "refreshes" it before it could; "" for neither."""
    for tool in tools(program, step):
        if tool.family == "apk" and tool.does.get("refreshes") and tool.invocation.where != MAYBE:
            return "refreshes"
        if tool.family == "apk" and tool.does.get("reads-index") and not tool.given("fresh"):
            return "reads"
    return ""
