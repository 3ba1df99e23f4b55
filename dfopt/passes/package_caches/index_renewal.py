"""An index of its own for a later step that installs from the one that is deleted."""

from __future__ import annotations

from dfopt.analysis.apt_index import check_place, check_sources
from dfopt.analysis.cache_readers import index_reader
from dfopt.analysis.package_managers import tools
from dfopt.editing.package_index import insert_update
from dfopt.passes.package_caches.cleanup_command import append_cleanup
from dfopt.record import replace
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.run_steps import RunSite
    from dfopt.edit import Edit
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite


def renewal(site: RunSite, reader: Step | None) -> Iterator[tuple[Edit, Rewrite]]:
    """An update in front of the first command that reads the index in a later step of the stage. Raises Refusal."""
    if reader is None:
        return
    program = site.program
    needs = f"line {reader.node.line} needs the package index and does not refresh it"
    remedy = f"begin line {reader.node.line} with `apt-get update &&`"
    commands = [tool for tool in tools(program, reader) if tool.family == "apt" and tool.does.get("reads-index")]
    if reader not in site.later_steps or not commands or reader.node.keyword != "RUN":
        raise Refusal(needs, remedy)
    try:
        for step in site.later_steps[: site.later_steps.index(reader)]:
            check_sources(program, step)
        check_place(program.body(reader).form, commands[0])
        words = (*commands[0].invocation.wrappers, "apt-get", "update")
        yield insert_update(program, reader, commands[0], words)
    except Refusal as refusal:
        raise Refusal(f"{needs}: {refusal.reason}", refusal.unblock or remedy) from None


def hidden_reader(site: RunSite, reader: Step | None, cleanup: tuple[str, ...]) -> Step | None:
    """The opaque command for which the index stays that a reader fetches for itself, or one behind it does; None where
    `cleanup` deletes each of them. Raises Refusal where it cannot: nothing would be gained then."""
    program, stage = site.program, site.stage
    while reader is not None:
        position = stage.steps.index(reader)
        there = replace(site, position=position, step=reader)
        following, opaque = index_reader(program, stage, position, "apt")
        try:
            if cleanup[-1] not in program.body(reader).text:
                commands = [tool for tool in tools(program, reader) if tool.family == "apt"]
                append_cleanup(there, commands[0].invocation, cleanup)
            for _ in renewal(there, following):
                pass
        except Refusal as refusal:
            stays = f"line {reader.node.line} would fetch an index of its own, and keep it"
            raise Refusal(f"{stays}: {refusal.reason}", refusal.unblock) from None
        if opaque is not None:
            return opaque
        reader = following
    return None
