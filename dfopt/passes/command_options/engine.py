"""The engine of the passes that give commands an option which they lack. What lacks which option is in the table
`command_options`."""

from __future__ import annotations

from dfopt.analysis.run_steps import edit_obstacle, shipped_runs
from dfopt.edit import Edit
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.knowledge import table
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Stage, Step


class CommandOption:
    """What such passes do. A pass sets `which` (the stages: "shipped" or "all"), `message` (with {program} and
    {option}) and `fix_tier`; `applies` may leave steps out."""

    which: ClassVar[str] = "all"
    message: ClassVar[str]
    fix_tier: ClassVar[str] = "safe"

    if TYPE_CHECKING:
        name: ClassVar[str]
        triggers: ClassVar[tuple[str, ...]]

    def applies(self, program: Program, stage: Stage, step: Step) -> bool:
        """Whether the commands of a step are to have the option."""
        return True

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        rows: dict[str, Any] = table("command_options")[self.name]
        for stage, _, step in shipped_runs(program, self.which, *rows):
            if not self.applies(program, stage, step):
                continue
            for invocation in program.commands(step).invocations:
                row = rows.get(invocation.program or "")
                if row is not None:
                    index = _lacking(invocation, row, program.scope(step))
                    if index is not None:
                        yield self.found(program, step, invocation, row["option"], index)

    def found(self, program: Program, step: Step, invocation: Invocation, option: str, index: int) -> Finding:
        """The finding of a command that lacks an option; it is to stand before word `index`."""
        body, node = program.body(step), step.node
        message = self.message.format(program=invocation.program, option=option)
        reachable = not invocation.nested and invocation.where != SUBSTITUTION
        reason = edit_obstacle(step, body, reachable, invocation.program or "")
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        words = invocation.node.words
        end = body.span(words[index - 1].start, words[index - 1].end)[1]
        rewrite = EditWords(step.index, invocation.node.start, index, 0, (option,))
        fix = Fix((Edit(end, end, f" {option}"),), (rewrite,), self.fix_tier)
        return Finding(self.name, message, node.start, node.end, fix)


def _lacking(invocation: Invocation, row: dict[str, Any], scope: Scope) -> int | None:
    """Before which of a command's words the option is to stand; None where the command does not lack it."""
    families = row.get("families")
    if families and (scope.base is None or scope.base.family not in families):
        return None
    if invocation.has_option(*row["has"]) or None in invocation.values[:1]:
        return None
    if any(redirect.fd == "2" or redirect.op in ("&>", "&>>") for redirect in invocation.node.redirects):
        return None  # what it says goes elsewhere
    set_here = {assignment.name for assignment in invocation.node.assignments}
    for name, value in row.get("variables", {}).items():
        known = scope.env.get(name, scope.args.get(name))
        if name in set_here or name in scope.args or (known is not None and known == value):
            return None
    first = len(invocation.node.words) - len(invocation.words)
    operands = invocation.operands()
    if "subcommands" in row:
        if not operands or operands[0].value not in row["subcommands"] or operands[0] is not invocation.words[0]:
            return None
        if not row.get("operands", True) and len(operands) > 1:
            return None
        return first + 1
    return first if invocation.words else None
