"""The passes that give a package manager its own option against caching."""

from __future__ import annotations

import re

from dfopt.analysis.cache_readers import cache_reader, cleaned, mounted
from dfopt.analysis.package_managers import option_edit, tools, variable
from dfopt.analysis.run_steps import no_network
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.passes.package_caches.each_run import EachRun
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_FALSE = frozenset(("", "0", "false", "f", "no", "n", "off"))


class NoCache(EachRun):
    """What such passes do; a pass says of which family.

    any_false whether a false value of the environment variable turns the cache off as a true one does
    """

    any_false: ClassVar[bool] = False

    def check(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step) -> Finding | None:
        if no_network(step.effective):
            return None  # nothing is downloaded
        body = program.body(step)
        if body.program is None:
            pattern = rf"\b{self.family}[\d.]*\s+(?:pip\s+)?install\b"
            if re.search(pattern, body.text) and "--no-cache" not in body.text:
                return self.refuse(step, body.why)
            return None
        found = tools(program, step)
        wanted = [tool for tool in found if tool.family == self.family and self.keeps(program, step, facts, tool)]
        if not wanted or cleaned(body, found, wanted[-1]):
            return None
        last = wanted[-1]
        if mounted(program, step, (*last.facts["cache"], *last.facts.get("cache-links", ())), self.family):
            return None
        if step.node.keyword == "ONBUILD":
            return self.refuse(step, "ONBUILD triggers are left as they are")
        if body.form == "mixed":
            return self.refuse(step, "the command line carries heredocs")
        later = cache_reader(program, stage, position, last)
        if later is not None:
            return self.refuse(step, f"line {later.node.line} uses the cache")
        reason = self.veto(program, facts, stage, position, step, last)
        if reason:
            return self.refuse(step, reason)
        reachable = [tool for tool in wanted if not tool.one.nested and tool.one.where != SUBSTITUTION]
        if not reachable:
            return self.refuse(step, f"{last.label} runs in a string or a substitution that is not rewritten")
        option = last.facts["no-cache"][0]
        pairs = [option_edit(step, body, tool, option) for tool in reachable]
        message = f"keep {last.label}'s cache out of the layer: {option}"
        tier, why = self.tier(program, stage, position)
        if why:
            message += f" ({why})"
        fix = Fix(tuple([edit for edit, _ in pairs]), tuple([rewrite for _, rewrite in pairs]), tier)
        return Finding(self.name, message, step.node.start, step.node.end, fix)

    def keeps(self, program: Program, step: Step, facts: Facts, tool: Tool) -> bool:
        """Whether a command leaves a cache that nothing in sight turns off or puts elsewhere."""
        if not tool.does.get("caches") or any(tool.given(key) for key in ("no-cache", "cache-options", "offline")):
            return False
        for name in tool.facts.get("env-no-cache", ()):
            value = variable(program, step, facts, name, tool.one)
            if isinstance(value, Unknown) or (value and (self.any_false or value.lower() not in _FALSE)):
                return False
        return all(variable(program, step, facts, name, tool.one) is None for name in tool.facts.get("env-cache", ()))

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> str:
        """What else stands against it; "" where nothing does."""
        return ""

    def tier(self, program: Program, stage: Stage, position: int) -> tuple[str, str]:
        """The tier, and a word on why it is not `safe`."""
        return "safe", ""

    def refuse(self, step: Step, reason: str) -> Finding:
        message = f"{self.family}'s cache stays in the layer"
        return Finding(self.name, message, step.node.start, step.node.end, None, reason)
