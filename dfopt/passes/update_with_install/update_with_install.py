from __future__ import annotations

from dfopt.analysis.apt_index import (
    LISTS,
    check_place,
    index_source,
    lone_update,
    only_updates,
    refreshes,
)
from dfopt.analysis.cache_readers import is_mounted
from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import shipped_runs
from dfopt.cost import SOURCE, cache_bytes, mends
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.package_index import insert_update
from dfopt.facts import Facts
from dfopt.findings import Benefit, Declares, Finding, Fix, refused
from dfopt.passes.base import Option, Pass
from dfopt.passes.update_with_install.moved_update import check_move
from dfopt.passes.update_with_install.unused_update import without_update
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

    Refuses to move: where a step between may change the package sources, or runs an opaque command; where user or
    mounts of the two RUNs differ; where a comment above belongs to the `apt-get update`; ONBUILD. Refuses to remove:
    where the image calls apt when it starts; where another file of the tree may be built on it, and needs the index.

    Declares: the first RUN goes, the second gains one command in front of its first apt command.
    """

    name = "update-with-install"
    group = "cache"
    phase = "layers"
    codes = ("CKV_DOCKER_5", "CIS-DI-0007", "DS-0017")
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
            if source is not None and not is_mounted(program, step, (LISTS,)):
                yield self.stale(program, stage, position, first, source)

    def unused(self, program: Program, facts: Facts, stage: Stage, position: int) -> Iterator[Finding]:
        """An update whose index nothing reads."""
        node = stage.steps[position].node
        message = "remove this RUN: nothing installs from the package index that it fetches"
        try:
            fix = without_update(program, facts, stage, position)
        except Refusal as refusal:
            yield refused(self.name, message, node.start, node.end, refusal)
            return
        if fix is not None:
            benefit = Benefit(bytes=cache_bytes("apt"), layers=1, source=SOURCE)
            yield Finding(self.name, message, node.start, node.end, fix, benefit=benefit)

    def stale(self, program: Program, stage: Stage, position: int, reader: Tool, source: tuple[Stage, int]) -> Finding:
        """A RUN that installs from the index of an earlier one: `source` is that one's stage and position."""
        step, fetching = stage.steps[position], source[0].steps[source[1]]
        line = fetching.node.line
        message = f"installs from the package index that line {line} fetched: out of the cache, it may be an old one"
        if lone_update(program, fetching) is None or source[0] is not stage:
            if not self.settings["every"]:
                return Finding(self.name, message, step.node.start, step.node.end)
            return self.updated(program, step, reader, message)
        try:
            check_move(program, stage, source[1], position, reader)
            fix = self.moved(program, fetching, step, reader)
        except Refusal as refusal:
            message = f"line {step.node.line} installs from a package index that goes stale"
            return refused(self.name, message, fetching.node.start, fetching.node.end, refusal)
        message = "fetch the package index where it is used: `apt-get update` alone in a layer goes stale"
        benefit = Benefit(layers=1, mends=mends(self.name), source=SOURCE)
        return Finding(self.name, message, fetching.node.start, fetching.node.end, fix, benefit=benefit)

    def moved(self, program: Program, fetching: Step, step: Step, reader: Tool) -> Fix:
        """The fix that moves a lone update in front of the first apt command of a RUN. Raises Refusal."""
        update = lone_update(program, fetching)
        assert update is not None
        text = program.body(fetching).text
        words = tuple([text[word.start : word.end] for word in update.invocation.node.words])
        edit, rewrite = insert_update(program, step, reader, words)
        removal = whole_step(program.text, fetching)
        return Fix((removal, edit), (RemoveStep(fetching.index), rewrite), "safe")

    def updated(self, program: Program, step: Step, reader: Tool, message: str) -> Finding:
        """An update in front of the first apt command of a RUN, run as that one."""
        node = step.node
        try:
            check_place(program.body(step).form, reader)
            edit, rewrite = insert_update(program, step, reader, (*reader.invocation.wrappers, "apt-get", "update"))
        except Refusal as refusal:
            return refused(self.name, message, node.start, node.end, refusal)
        return Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), "safe"))


def _reads(tool: Tool) -> bool:
    return tool.family == "apt" and bool(tool.does.get("reads-index") and tool.does.get("installs"))
