from __future__ import annotations

from dfopt.analysis.cache_readers import mounted
from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import shipped_runs
from dfopt.editing.chain_edits import insertion, whole_step
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.passes.base import Option, Pass
from dfopt.passes.update_with_install.apt_index import (
    LISTS,
    index_source,
    lone_update,
    no_place,
    refreshes,
    update_stays,
)
from dfopt.passes.update_with_install.unused_update import only_updates, without_update
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class UpdateWithInstall(Pass):
    """Renews apt's package index in the RUN that installs from it.

    An `apt-get update` in a RUN of its own is cached for as long as its text stays the same. A later RUN that changes
    installs from that index, months later: "Unable to locate package", or old versions. Where a RUN is nothing but an
    `apt-get update`, this pass moves it in front of the first installation. Where the index comes from a RUN that does
    more than that, it is a suggestion; with `every = true`, those installations get an `apt-get update` too. A RUN that
    fetches an index from which nothing installs goes.

    Why: the build keeps working when it runs half from the cache.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update
    COPY packages.txt /srv/
    RUN apt-get install -y curl
    ```

    ```dockerfile
    FROM debian:13-slim
    COPY packages.txt /srv/
    RUN apt-get update && apt-get install -y curl
    ```

    Refuses to move: where a step between may change the package sources, or cannot be seen into; where the user or the
    mounts of the two RUNs differ; where a comment above belongs to the `apt-get update`; ONBUILD. Refuses to remove:
    where the image calls apt when it starts; where another file of the tree may be built on it, and needs the index.

    Declares: the first RUN goes, the second gains one command in front of its first apt command.
    """

    name = "update-with-install"
    group = "cache"
    phase = "layers"
    codes = ("CIS-DI-0007",)
    triggers = ("apt",)
    order = 22
    options = (Option("every", "bool", False, "give each RUN that installs an update of its own"),)
    declares = Declares(paths=("/var/lib/apt/lists/**",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage, position, step in shipped_runs(program, "all", "apt"):
            if only_updates(program, step):
                yield from self.unused(program, facts, stage, position)
                continue
            readers = [tool for tool in tools(program, step) if _reads(tool)]
            if not readers or step.node.keyword == "ONBUILD":
                continue
            first = readers[0]
            if any(refreshes(tool) and tool.start < first.start for tool in tools(program, step)):
                continue
            source = index_source(program, stage, position)
            if source is not None and not mounted(program, step, (LISTS,)):
                yield self.found(program, stage, position, step, first, source)

    def unused(self, program: Program, facts: Facts, stage: Stage, position: int) -> Iterator[Finding]:
        """An update whose index nothing reads."""
        node = stage.steps[position].node
        message = "remove this RUN: nothing installs from the package index that it fetches"
        try:
            fix = without_update(program, facts, stage, position)
        except Refusal as refusal:
            yield Finding(self.name, message, node.start, node.end, None, refusal.reason)
            return
        if fix is not None:
            yield Finding(self.name, message, node.start, node.end, fix)

    def found(
        self, program: Program, stage: Stage, position: int, step: Step, reader: Tool, source: tuple[Stage, int]
    ) -> Finding:
        old = source[0].steps[source[1]].node
        message = (
            f"installs from the package index that line {old.line} fetched: out of the cache, it may be an old one"
        )
        update = lone_update(program, source[0].steps[source[1]])
        if update is None or source[0] is not stage:
            if not self.settings["every"]:
                return Finding(self.name, message, step.node.start, step.node.end)
            return self.updated(program, step, reader, message)
        body = program.body(step)
        reason = update_stays(program, stage, source[1], position, reader)
        words = tuple(
            [program.body(stage.steps[source[1]]).text[w.start : w.end] for w in update.invocation.node.words]
        )
        made = None if reason else insertion(program, step, body, reader.invocation.node, words)
        if made is None:
            reason = reason or "a failure of the update would pass unnoticed there"
            message = f"line {step.node.line} installs from an index that goes stale in a layer of its own"
            return Finding(self.name, message, old.start, old.end, None, reason)
        edit, rewrite = made
        gone = stage.steps[source[1]]
        fix = Fix((whole_step(program.text, gone), edit), (RemoveStep(gone.index), rewrite), "safe")
        message = "fetch the package index where it is used: in a layer of its own it goes stale"
        return Finding(self.name, message, old.start, old.end, fix)

    def updated(self, program: Program, step: Step, reader: Tool, message: str) -> Finding:
        """An update in front of the first apt command of a RUN, run as that one."""
        node, body = step.node, program.body(step)
        reason = no_place(body.form, reader)
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        words = (*reader.invocation.wrappers, "apt-get", "update")
        made = insertion(program, step, body, reader.invocation.node, words)
        if made is None:
            reason = "a failure of the update would pass unnoticed in that place"
            return Finding(self.name, message, node.start, node.end, None, reason)
        return Finding(self.name, message, node.start, node.end, Fix((made[0],), (made[1],), "safe"))


def _reads(tool: Tool) -> bool:
    return tool.family == "apt" and bool(tool.does.get("reads-index") and tool.does.get("installs"))
