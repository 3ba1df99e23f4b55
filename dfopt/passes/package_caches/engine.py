"""The engine of the passes that keep a package manager's cache out of the layer. A pass is a row: a class that states
what is particular to its package manager, in attributes and documentation, and overrides a method where that is code.

What the package managers themselves do (commands, options, paths) is in the table `package_managers`.
"""

from __future__ import annotations

import re

from dfopt.analysis.cache_readers import STARTS, cache_reader, empties_cache, is_mounted
from dfopt.analysis.package_managers import FALSE, check_release, option_edit, tools, variable
from dfopt.analysis.run_steps import RunSite, no_network, run_text, shipped_runs
from dfopt.findings import Declares, Finding, Fix
from dfopt.ir.commands import INNER, SUBSTITUTION, TOP
from dfopt.ir.effects import cache_filling_calls
from dfopt.lazy import regex
from dfopt.passes.base import STAGES, Option
from dfopt.passes.package_caches.cleanup_command import append_cleanup
from dfopt.passes.package_caches.documentation import no_work, page, reader_clause
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

# what takes a program away again before the RUN ends: of the system's package manager, and of any other
_SYSTEM_REMOVAL = regex(
    r"\brpm\s+(?:-\S{1,99}\s{1,20}){0,20}(?:-e|--erase)|\brm\s[^;&|]{0,400}(?:repos\.d|bin/|python)|\bmv\s[^;&|]{0,400}repos\.d"
)
_REMOVAL = regex(
    r"\b(?:apk|apt-get|apt|aptitude|dnf|yum|microdnf)\s[^;&|]{0,400}\b(?:del|purge|remove|auto\w+|erase)\b"
)
# what makes a program known to one part of a RUN only
_LOCAL = regex(r"\bPATH=|(?:^|[;&|({\s])(?:\.|source|eval)\s|nvm")


class PackageCache:
    """What both kinds of passes do. A row sets `family` and what differs from the defaults.

    family      of the table package_managers; it gives the pass its name
    words       what a RUN's text must hold one of; without any, the family's name
    cache_name  the cache, as messages call it
    unless      (regular expression, reason): where the file's text matches, nothing is done
    any_use     whether any later use of the program keeps the cache, not only an offline one
    refuses     a clause for the page, on what only this row refuses
    """

    family: ClassVar[str]
    words: ClassVar[tuple[str, ...]]
    cache_name: ClassVar[str]
    unless: ClassVar[tuple[str, str] | None] = None
    any_use: ClassVar[bool] = False
    refuses: ClassVar[str] = ""
    suffix: ClassVar[str]
    remedy: ClassVar[re.Pattern[str]]
    group: ClassVar[str] = "size"
    tiers: ClassVar[tuple[str, ...]] = ("safe", "unsafe")
    phase: ClassVar[str] = "caches"
    options: ClassVar[tuple[Option, ...]] = (STAGES,)

    if TYPE_CHECKING:
        name: ClassVar[str]
        triggers: ClassVar[tuple[str, ...]]
        declares: ClassVar[Declares]
        order: ClassVar[int]
        settings: dict[str, Any]

    def __init_subclass__(cls) -> None:
        family = cls.__dict__.get("family")
        if family is not None:
            derived: dict[str, Any] = {
                "name": f"{family}-{cls.suffix}",
                "words": (family,),
                "cache_name": f"{family}'s cache",
                "declares": Declares(caches=(family,)),
            }
            for attribute, value in derived.items():
                if attribute not in cls.__dict__:
                    setattr(cls, attribute, value)
            if "triggers" not in cls.__dict__:
                cls.triggers = tuple([word.strip() for word in cls.words])
        super().__init_subclass__()

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        """A finding, or none, for each RUN that may call the package manager, in the stages of the option STAGES."""
        for stage, position, step in shipped_runs(program, self.settings["stages"], *self.words):
            try:
                finding = self.check(RunSite(program, facts, stage, position, step))
            except Refusal as refusal:
                message, node = f"{self.cache_name} stays in the layer", step.node
                finding = Finding(self.name, message, node.start, node.end, None, str(refusal))
            if finding is not None:
                yield finding

    def check(self, site: RunSite) -> Finding | None:
        """What is found in one RUN. Raises Refusal."""
        program, step, body = site.program, site.step, site.body
        if no_network(step.effective):
            return None  # nothing is downloaded
        if body.program is None:
            if self.may_fill(body.text):
                raise Refusal(body.why)
            return None
        managers = tools(program, step)
        filling = [tool for tool in managers if tool.family == self.family and self.fills(site, tool)]
        if not filling or self.empties(body, managers, filling[-1]):
            return None
        if is_mounted(program, step, _cache_paths(site, filling[-1]), self.family):
            return None
        # what only checks (vet, test) warms no cache on purpose: a later build does without it
        used_by = STARTS if all(tool.does.get("checks") for tool in filling) else (*STARTS, "RUN")
        reader = cache_reader(program, site.stage, site.position, filling[-1], used_by if self.any_use else ())
        if reader is not None:
            raise Refusal(f"line {reader.node.line} uses the cache")
        if self.unless is not None and re.search(self.unless[0], program.text):
            raise Refusal(self.unless[1])
        check_release(program, step, filling[-1])
        message, fix = self.fix(site, filling)
        return Finding(self.name, message, step.node.start, step.node.end, fix)

    def may_fill(self, text: str) -> bool:
        """Whether shell text that is not understood seems to fill the cache and not to empty it."""
        return not self.remedy.search(text) and cache_filling_calls(self.family).search(text) is not None

    def fills(self, site: RunSite, tool: Tool) -> bool:
        """Whether a command fills the cache."""
        raise NotImplementedError

    def empties(self, body: Body, managers: tuple[Tool, ...], last: Tool) -> bool:
        """Whether the RUN empties the cache itself."""
        return empties_cache(body, managers, last)

    def fix(self, site: RunSite, filling: list[Tool]) -> tuple[str, Fix]:
        """The message and the fix for the commands that fill the cache. Raises Refusal."""
        raise NotImplementedError

    def check_site(self, site: RunSite, tool: Tool) -> None:
        """Raises Refusal where something particular to this package manager rules out the fix."""

    def tier(self, site: RunSite, tool: Tool) -> tuple[str, str]:
        """The tier, and why it is not `safe`."""
        if self.any_use and not _starts(site.program, site.stage):
            return "unsafe", "the image starts nothing: it may be there to build"
        return "safe", ""


class CleanupRow(PackageCache):
    """A pass that empties the cache at the end of the RUN that filled it.

    example    for the page: a Dockerfile, and the command that its last RUN gains
    own_paths  how paths of the program's own files may read: deleting one may take the program away
    system     the manager belongs to the system: a RUN seldom takes it away
    """

    example: ClassVar[tuple[str, str]]
    own_paths: ClassVar[tuple[str, ...]] = ()
    system: ClassVar[bool] = False
    suffix = "cleanup"
    remedy = regex(r"\bclean\b|\brm\s")

    def __init_subclass__(cls) -> None:
        cls.order = 30 if cls.system else 32
        super().__init_subclass__()
        dockerfile, command = cls.example
        head, _, run = dockerfile.rpartition("RUN ")
        line, newline, rest = run.partition("\n")
        removed = "" if cls.system else ", in a subshell"
        refuses = (
            f"{reader_clause(cls.family, cls.any_use)}; where {cls.family} runs on a condition only{removed}, or may be"
            " gone by the end of the RUN; a background job or a comment at the end; a heredoc script that is not under"
            " `set -e`; ONBUILD.",
            no_work(cls.family, "where the RUN cleans up in any spelling"),
            "In an image without CMD and ENTRYPOINT the fix is `unsafe`." if cls.any_use else "",
            cls.refuses,
        )
        changed = f"{head}RUN {line} && {command}{newline}{rest}"
        cls.__doc__ = page(cls.__doc__ or "", dockerfile, changed, refuses, "the RUN gains one command at its end.")

    def fills(self, site: RunSite, tool: Tool) -> bool:
        if not tool.does.get("caches") or tool.asks_about_itself:
            return False
        return not tool.given("cache-options") and not tool.given("offline")

    def fix(self, site: RunSite, filling: list[Tool]) -> tuple[str, Fix]:
        tool = self.present_at_end(site.body, filling)
        self.check_site(site, tool)
        edit, rewrite = append_cleanup(site, tool.invocation, self.command(site, tool))
        tier, why = self.tier(site, tool)
        message = f"empty {self.cache_name} in the layer that fills it{f' ({why})' if why else ''}"
        return message, Fix((edit,), (rewrite,), tier)

    def present_at_end(self, body: Body, filling: list[Tool]) -> Tool:
        """A tool whose program is still there, under the same name, at the end of the RUN. Raises Refusal."""
        one_shell = self.system or not _LOCAL.search(body.text)
        for tool in reversed(filling):
            if tool.invocation.where == TOP or (tool.invocation.where == INNER and one_shell):
                break
        else:
            raise Refusal(f"{filling[-1].label} runs on a condition or in a subshell")
        path = tool.invocation.path or ""
        if "/" in path and not path.startswith("/"):
            raise Refusal(f"{path} is named from a directory that may not be the last one")
        tail = body.text[filling[-1].end :]
        removals = [_SYSTEM_REMOVAL] if self.system else [_REMOVAL]
        removals += [re.compile(rf"\brm\s[^;&|]{{0,400}}{re.escape(part)}") for part in self.own_paths]
        if any(removal.search(tail) for removal in removals):
            raise Refusal(f"{tool.label} may be gone by the end of the RUN")
        return tool

    def command(self, site: RunSite, tool: Tool) -> tuple[str, ...]:
        """The words that empty the cache."""
        return (tool.invocation.path or "", *tool.facts["clean"])


class NoCacheRow(PackageCache):
    """A pass that gives the package manager its own option against caching.

    example        for the page: a Dockerfile, and its last RUN with the option
    false_counts   whether a false value of the environment variable turns the cache off as a true one does
    started_again  regular expression: an image that starts what it matches may want the cache again
    """

    example: ClassVar[tuple[str, str]]
    false_counts: ClassVar[bool] = False
    started_again: ClassVar[str] = ""
    suffix = "no-cache"
    remedy = regex(r"--no-cache")
    order = 40

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dockerfile, command = cls.example
        again = f"Where the image starts {cls.family}, which may want the cache again, the fix is `unsafe`."
        refuses = (
            f"{reader_clause(cls.family, cls.any_use)}; a call inside the string of `sh -c`; ONBUILD.",
            no_work(cls.family, "where the RUN deletes the cache"),
            again if cls.started_again else "",
            cls.refuses,
        )
        changed = f"{dockerfile.rpartition('RUN ')[0]}RUN {command}"
        declares = "each command gains one word after its subcommand."
        cls.__doc__ = page(cls.__doc__ or "", dockerfile, changed, refuses, declares)

    def fills(self, site: RunSite, tool: Tool) -> bool:
        if not tool.does.get("caches") or any(map(tool.given, ("no-cache", "cache-options", "offline"))):
            return False
        for name in tool.facts.get("env-no-cache", ()):
            value = variable(site.program, site.step, site.facts, name, tool.invocation)
            if isinstance(value, Unknown) or (value and (self.false_counts or value.lower() not in FALSE)):
                return False
        chosen = _chosen_places(site, tool)
        return all(value is None for value in chosen)

    def fix(self, site: RunSite, filling: list[Tool]) -> tuple[str, Fix]:
        step, body, last = site.step, site.body, filling[-1]
        if step.node.keyword == "ONBUILD":
            raise Refusal("ONBUILD triggers are left as they are")
        if body.form == "mixed":
            raise Refusal("the command line carries heredocs")
        self.check_site(site, last)
        written_out = [tool for tool in filling if not tool.invocation.nested and tool.invocation.where != SUBSTITUTION]
        if not written_out:
            raise Refusal(f"{last.label} runs in a string or a substitution that is not rewritten")
        option = last.facts["no-cache"][0]
        changes = [option_edit(step, body, tool, option) for tool in written_out]
        tier, why = self.tier(site, last)
        message = f"keep {last.label}'s cache out of the layer: {option}{f' ({why})' if why else ''}"
        return message, Fix(tuple([edit for edit, _ in changes]), tuple([words for _, words in changes]), tier)

    def tier(self, site: RunSite, tool: Tool) -> tuple[str, str]:
        starts = _starting(site.program, site.stage) if self.started_again else ()
        for step in starts:
            if step.index > site.step.index and re.search(self.started_again, run_text(site.program, step)):
                return "unsafe", f"the image starts {self.family}, which may want the cache again"
        return super().tier(site, tool)


def _starting(program: Program, stage: Stage) -> tuple[Step, ...]:
    """The steps of a stage that say what its image starts."""
    return program.once(
        ("starting steps", stage.index),
        lambda: tuple([step for step in stage.steps if step.node.keyword in ("CMD", "ENTRYPOINT")]),
    )


def _starts(program: Program, stage: Stage) -> bool:
    """Whether the file says what an image of the stage starts; one that says nothing may be there to build in."""
    if _starting(program, stage):
        return True
    return stage.parent is not None and _starts(program, program.stages[stage.parent])


def _cache_paths(site: RunSite, tool: Tool) -> tuple[str, ...]:
    """The paths at which a tool's cache may lie, as far as is known."""
    chosen = _chosen_places(site, tool)
    paths = [value for value in chosen if isinstance(value, str) and value.startswith("/")]
    return (*paths, *tool.facts.get("cache", ()), *tool.facts.get("cache-links", ()))


def _chosen_places(site: RunSite, tool: Tool) -> list[str | Unknown | None]:
    """What the variables that name another place for the cache hold."""
    names = tool.facts.get("env-cache", ())
    return [variable(site.program, site.step, site.facts, name, tool.invocation) for name in names]
