"""The passes that empty a package manager's cache at the end of the RUN that filled it."""

from __future__ import annotations

import re

from dfopt.analysis.cache_readers import cache_reader, cleaned, mounted
from dfopt.analysis.package_managers import tools, variable
from dfopt.analysis.run_steps import no_network
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import INNER, TOP
from dfopt.lazy import regex
from dfopt.passes.package_caches.cleanup_command import appended
from dfopt.passes.package_caches.each_run import EachRun
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

# what takes a program away again before the RUN ends: of the system's package manager, and of any other
_SYSTEM_REMOVAL = regex(
    r"\brpm\s+(?:-\S+\s+)*(?:-e|--erase)|\brm\s[^;&|]*(?:repos\.d|bin/|python)|\bmv\s[^;&|]*repos\.d"
)
_REMOVAL = regex(r"\b(?:apk|apt-get|apt|aptitude|dnf|yum|microdnf)\s+[^;&|]*\b(?:del|purge|remove|auto\w+|erase)\b")
# what makes a program known to one part of a RUN only
_LOCAL = regex(r"\bPATH=|(?:^|[;&|({\s])(?:\.|source|eval)\s|nvm")


class CleanAfter(EachRun):
    """What such passes do; a pass says of which family.

    pattern   what a RUN's text must match to be worth a word where it is not understood
    what      the cache, as the messages call it
    homes     how paths of the program's own files may read
    system    the manager belongs to the system: nothing in a RUN takes it away
    any_use   whether any later use of the program keeps the cache, not only an offline one
    """

    pattern: ClassVar[str]
    what: ClassVar[str]
    homes: ClassVar[tuple[str, ...]] = ()
    system: ClassVar[bool] = False
    any_use: ClassVar[bool] = False

    def check(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step) -> Finding | None:
        if no_network(step.effective):
            return None  # nothing is downloaded
        body = program.body(step)
        if body.program is None:
            if re.search(self.pattern, body.text) and not re.search(r"\bclean\b|\brm\s", body.text):
                return self.refuse(step, body.why)
            return None
        found = tools(program, step)
        wanted = [tool for tool in found if tool.family == self.family and self.keeps(program, step, facts, tool)]
        if not wanted or self.done(body, found, wanted[-1]):
            return None
        last = wanted[-1]
        if mounted(program, step, places(program, step, facts, last), self.family):
            return None
        later = cache_reader(program, stage, position, last, any_use=self.any_use)
        try:
            if later is not None:
                raise Refusal(f"line {later.node.line} uses the cache")
            sure = self.sure(body, wanted)
            self.veto(program, facts, stage, position, step, sure)
            edit, rewrite = appended(program, step, sure.one, self.command(program, stage, position, sure))
        except Refusal as error:
            return self.refuse(step, str(error))
        tier, why = self.tier(program, facts, stage, position, step, sure)
        message = f"empty {self.what} in the layer that fills it{f' ({why})' if why else ''}"
        return Finding(self.name, message, step.node.start, step.node.end, Fix((edit,), (rewrite,), tier))

    def keeps(self, program: Program, step: Step, facts: Facts, tool: Tool) -> bool:
        """Whether a command fills the cache."""
        return bool(tool.does.get("caches")) and not tool.given("cache-options") and not tool.given("offline")

    def done(self, body: Body, found: tuple[Tool, ...], last: Tool) -> bool:
        """Whether the RUN empties the cache itself."""
        return cleaned(body, found, last)

    def sure(self, body: Body, wanted: list[Tool]) -> Tool:
        """A tool whose program is still there, under the same name, at the end of the RUN. Raises Refusal."""
        inside = not _LOCAL.search(body.text)
        for tool in reversed(wanted):
            if tool.one.where == TOP or (tool.one.where == INNER and (self.system or inside)):
                break
        else:
            raise Refusal(f"{wanted[-1].label} runs on a condition or in a shell of its own")
        path = tool.one.path or ""
        if "/" in path and not path.startswith("/"):
            raise Refusal(f"{path} is named from a directory that may not be the last one")
        tail = body.text[wanted[-1].end :]
        removed = _SYSTEM_REMOVAL.search(tail) if self.system else _REMOVAL.search(tail) or self.deleted(tail)
        if removed:
            raise Refusal(f"{tool.label} may be gone by the end of the RUN")
        return tool

    def deleted(self, tail: str) -> bool:
        """Whether what follows deletes files that may be the program's own."""
        return any(re.search(rf"\brm\s[^;&|]*{re.escape(word)}", tail) for word in self.homes)

    def command(self, program: Program, stage: Stage, position: int, tool: Tool) -> tuple[str, ...]:
        """The words that empty the cache."""
        return (tool.one.path or "", *tool.facts["clean"])

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> None:
        """Raises Refusal where something else stands against it."""

    def tier(
        self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool
    ) -> tuple[str, str]:
        """The tier, and a word on why it is not `safe`."""
        return "safe", ""

    def refuse(self, step: Step, reason: str) -> Finding:
        return Finding(self.name, f"{self.what} stays in the layer", step.node.start, step.node.end, None, reason)


def starts(program: Program, stage: Stage) -> bool:
    """Whether the file says what an image of the stage starts; one that says nothing may be there to build in."""
    if any(step.node.keyword in ("CMD", "ENTRYPOINT") for step in stage.steps):
        return True
    return stage.parent is not None and starts(program, program.stages[stage.parent])


def places(program: Program, step: Step, facts: Facts, tool: Tool) -> tuple[str, ...]:
    """The paths at which a tool's cache may lie, as far as is known."""
    chosen = [variable(program, step, facts, name, tool.one) for name in tool.facts.get("env-cache", ())]
    known = [value for value in chosen if isinstance(value, str) and value.startswith("/")]
    return (*known, *tool.facts.get("cache", ()), *tool.facts.get("cache-links", ()))
