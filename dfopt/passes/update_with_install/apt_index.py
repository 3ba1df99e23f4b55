"""Where a step's apt package index comes from, and what between the two could change it."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.ir.commands import MAYBE, SUBSTITUTION, TOP
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

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


def refreshes(tool: Tool) -> bool:
    """Whether a command renews the index."""
    return tool.family == "apt" and bool(tool.does.get("refreshes"))


def lone_update(program: Program, step: Step) -> Tool | None:
    """The update of a RUN that is nothing else."""
    body = program.body(step)
    if body.program is None or body.form != "line" or len(body.program.script.items) != 1:
        return None
    command = body.program.script.items[0].command
    for tool in tools(program, step):
        node = tool.invocation.node
        bare = not node.redirects and not node.assignments and not body.program.script.comments
        if refreshes(tool) and command is node and bare:
            return tool
    return None


def update_stays(program: Program, stage: Stage, source: int, position: int, reader: Tool) -> str:
    """What keeps the update of step `source` from moving into the step at `position`; "" where nothing does."""
    old, new = stage.steps[source], stage.steps[position]
    if old.node.above or old.node.comments:
        return "a comment speaks of the update"
    if old.node.flags or any(flag.name != "mount" for flag in new.node.flags):
        return "the flags of the two differ"
    if program.scope(old).user != program.scope(new).user or program.scope(old).shell != program.scope(new).shell:
        return "another user or another shell runs the installation"
    update = lone_update(program, old)
    if update is None or update.invocation.wrappers != reader.invocation.wrappers:
        return "the two are not run in the same way"
    for step in stage.steps[source + 1 : position]:
        why = changes_sources(program, step)
        if why:
            return f"line {step.node.line} {why}"
    return no_place(program.body(new).form, reader)


def no_place(form: str, reader: Tool) -> str:
    """Why an update cannot stand in front of a command in a body of this form; "" where it can."""
    if form not in ("line", "script"):
        return "the command line carries heredocs"
    if reader.invocation.nested or reader.invocation.where in (MAYBE, SUBSTITUTION):
        return "the installation runs on a condition or in a string"
    if reader.invocation.where != TOP and form != "script":
        return "the installation runs in a group or a pipeline"
    return ""
