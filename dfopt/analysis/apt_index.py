"""Where a step's apt package index comes from, and what between the two could change it."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.ir.commands import MAYBE, SUBSTITUTION, TOP
from dfopt.ir.effects import covers, manager
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import destination

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
        if any(effect.kind == "deletes" and covers(effect.path, LISTS) for effect in program.effects(step)):
            return None
        if any(refreshes(tool) for tool in tools(program, step)):
            return stage, index
    if stage.parent is None:
        return None
    parent = program.stages[stage.parent]
    return index_source(program, parent, len(parent.steps))


def check_sources(program: Program, step: Step) -> None:
    """Raises Refusal where a step between the two could change the index, or what is fetched."""
    node = step.node
    if node.keyword == "ONBUILD":
        return
    change = Refusal(
        f"line {node.line} may change the package sources", f"put the `apt-get update` behind line {node.line}"
    )
    if node.keyword in ("COPY", "ADD"):
        target = destination(program, step)
        if target is None:
            # a relative path below an unknown working directory: below /etc in no image known
            if node.arguments[-1].value.startswith("/"):
                raise change.copy()
        elif covers(target, "/etc") or covers("/etc", target):
            raise change.copy()
    if node.keyword == "RUN":
        body = program.body(step)
        if body.program is None or any(effect.kind == "opaque" for effect in program.effects(step)):
            raise Refusal(
                f"line {node.line} runs an opaque command, which may use the index or change the package sources",
                change.unblock,
            )
        if _SOURCES.search(body.text):
            raise Refusal(f"line {node.line} may use the index or change the package sources", change.unblock)
    if node.keyword in ("ENV", "ARG") and _SOURCES.search(node.joined.text):
        raise change.copy()


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


def check_place(form: str, reader: Tool) -> None:
    """Raises Refusal where an update cannot stand in front of a command in a body of this form."""
    if form not in ("line", "script"):
        raise Refusal("the command line carries heredocs")
    if reader.invocation.nested or reader.invocation.where in (MAYBE, SUBSTITUTION):
        raise Refusal("the installation runs on a condition or in a string")
    if reader.invocation.where != TOP and form != "script":
        raise Refusal("the installation runs in a group or a pipeline")


def only_updates(program: Program, step: Step) -> bool:
    """Whether a RUN fetches the index, and does nothing else but to delete it and the package cache."""
    if step.node.keyword != "RUN" or step.node.flags or program.body(step).program is None:
        return False
    facts = manager("apt-get") or {}
    disposable = (*facts["index"], *facts["cache"])
    fetching = {tool.invocation.node.start for tool in tools(program, step) if refreshes(tool)}
    cleaning = {
        tool.invocation.node.start for tool in tools(program, step) if tool.family == "apt" and tool.does.get("cleans")
    }
    for invocation in program.commands(step).invocations:
        if invocation.nested or invocation.where != TOP:
            return False
        if invocation.node.start in fetching | cleaning or invocation.program in ("true", ":"):
            continue
        paths = [(word.value or program.body(step).text[word.start : word.end]) for word in invocation.operands()]
        if invocation.program != "rm" or not all(any(covers(d, path) for d in disposable) for path in paths):
            return False
    return bool(fetching)
