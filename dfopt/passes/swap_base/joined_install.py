"""What a trial lacked, added to the command by which a stage installs packages already."""

from __future__ import annotations

from dfopt.analysis.package_managers import package_name, tools
from dfopt.edit import Edit
from dfopt.ir.commands import TOP
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.analysis.package_managers import Tool
    from dfopt.passes.swap_base.needs import Needs

_SETTINGS = frozenset(("ARG", "ENV", "LABEL", "WORKDIR", "EXPOSE", "SHELL", "STOPSIGNAL", "VOLUME"))


def joined_install(needs: Needs, packages: Sequence[str]) -> tuple[Edit, EditWords] | None:
    """The edit that adds packages of apt to the first command of a stage, where that installs others without what they
    recommend; None where it does not. `packages`: in the order in which they are written."""
    program = needs.program
    step = next((step for step in needs.stage.steps if step.node.keyword not in _SETTINGS), None)
    if step is None or step.node.keyword != "RUN":
        return None
    managers = {tool.invocation.node.start: tool for tool in tools(program, step)}
    tool: Tool | None = None
    for invocation in program.commands(step).invocations:
        tool = managers.get(invocation.node.start)
        if tool is None or tool.family != "apt" or invocation.where != TOP or not tool.does.get("refreshes"):
            break
    if tool is None or not tool.does.get("installs") or "--no-install-recommends" not in tool.invocation.values:
        return None
    invocation, body = tool.invocation, program.body(step)
    last = invocation.words[-1]
    if invocation.where != TOP or invocation.nested or not tool.packages or last is not invocation.node.words[-1]:
        return None
    if last.value is None or package_name(last.value) != package_name(tool.packages[-1]):
        return None
    start, end = body.span(last.start, last.end)
    before = invocation.words[-2]
    between = program.text[body.span(before.start, before.end)[1] : start]
    if "#" in between:
        return None
    if (before.value or "-").startswith("-") or "\n" not in between:
        between = " "
    words = (body.text[last.start : last.end], *packages)
    rewrite = EditWords(step.index, invocation.node.start, len(invocation.node.words) - 1, 1, words)
    return Edit(end, end, "".join(f"{between}{package}" for package in packages)), rewrite
