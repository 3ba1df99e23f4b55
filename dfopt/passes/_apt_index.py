"""Where a step's apt package index comes from, and what between the two could change it."""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.passes._tools import tools
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program, Stage, Step

LISTS = "/var/lib/apt/lists"
_SOURCES = regex(r"apt|/etc|dpkg|gpg|key|sources|repo|proxy", re.I)


def index_source(program: Program, stage: Stage, position: int) -> tuple[Stage, int] | None:
    """The last RUN before `position`, in this stage or those it is built on, that fetched the index; None where there
    is none, or where a step in between deleted it."""
    for index in range(position - 1, -1, -1):
        step = stage.steps[index]
        if step.node.keyword != "RUN":
            continue
        found = [tool for tool in tools(program, step) if tool.family == "apt" and tool.does.get("refreshes")]
        effects = program.effects(step)
        if any(effect.kind == "deletes" and covers(effect.path, LISTS) for effect in effects):
            return None
        if found:
            return stage, index
    if stage.parent is None:
        return None
    parent = program.stages[stage.parent]
    return index_source(program, parent, len(parent.steps))


def changes_sources(program: Program, step: Step) -> str:
    """What a step between the two could do to the index or to what is fetched; "" where nothing."""
    node = step.node
    if node.keyword == "ONBUILD" or node.keyword in ("CMD", "ENTRYPOINT", "LABEL", "EXPOSE", "VOLUME", "STOPSIGNAL"):
        return ""
    if node.keyword in ("COPY", "ADD"):
        scope = program.scope(step)
        target = join_path(scope.workdir, scope.expand(node.arguments[-1].value, program.dockerfile.escape))
        if isinstance(target, Unknown):
            # a relative path below an unknown working directory: below /etc in no image known
            return "" if not node.arguments[-1].value.startswith("/") else "may change the package sources"
        return "may change the package sources" if covers(target, "/etc") or covers("/etc", target) else ""
    if node.keyword == "RUN":
        body = program.body(step)
        effects = program.effects(step)
        if body.program is None or any(effect.kind == "opaque" for effect in effects):
            return "cannot be seen into, and may use the index or change the package sources"
        return "may use the index or change the package sources" if _SOURCES.search(body.text) else ""
    if node.keyword in ("ENV", "ARG"):
        return "may change the package sources" if _SOURCES.search(node.joined.text) else ""
    return ""
