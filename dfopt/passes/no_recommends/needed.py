"""What is recommended and needed all the same: what the file calls, and whether an image has it anyway."""

from __future__ import annotations

from dfopt.analysis.package_managers import package_name, tools
from dfopt.analysis.run_steps import run_text
from dfopt.analysis.startup import started
from dfopt.edit import Edit
from dfopt.ir.base_images import ImageRows
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.passes.no_recommends.packages import removed
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.shell.nodes import Word

_CERTIFICATES = "ca-certificates"
_ALWAYS = 1 << 62  # behind every step: when a container starts


class NeededPackage(Record):
    """A package that a command shall name, behind the `word` of one that recommends it. `why`: a clause."""

    name: str
    word: Word
    why: str


class NeededPackages:
    """The needs of one file. `taken`: what earlier findings bring, by stage."""

    def __init__(self, program: Program, facts: Facts) -> None:
        self.program = program
        self.facts = facts
        self.rows: list[dict[str, Any]] = table("recommends")["needed"]
        self.taken: set[tuple[str, int]] = set()

    def lacking(self, step: Step) -> list[dict[str, Any]]:
        """The rows of the table whose package the step may lack, and what it is for is done there or later."""
        program, stage = self.program, self.program.stages[step.stage]
        image, known = program.scope(step).image, table("recommends")["present"]
        calls: dict[str, int] | None = None
        found: list[dict[str, Any]] = []
        for row in self.rows:
            if any((row["package"], index) in self.taken for index in lineage(program, stage)):
                continue
            if image is not None and row["present"] and ImageRows(known[row["present"]]).find(image) is not None:
                continue
            if row["called"] and calls is None:
                root = program.root(stage)
                calls = program.once(("called", root.index), _calls, program, root, self.facts)
            if row["called"] and max((calls or {}).get(name, -1) for name in row["called"]) < step.index:
                continue
            key = "brought", row["package"], *row["brings"], step.stage
            brought = program.once(key, _brought, program, stage, row)
            if brought is None or (brought.index > step.index and _used(program, stage, step, brought, row)):
                found.append(row)
        return found

    def of(self, step: Step, tool: Tool, rows: list[dict[str, Any]]) -> list[NeededPackage]:
        """What the command shall name. Raises Refusal where none of its packages is known to need certificates, but a
        variable may name one that does; and where the step removes again what recommends a program."""
        body, gone = self.program.body(step), self.program.once(("removed", step.index), removed, self.program, step)
        needs: list[NeededPackage] = []
        variable = ""
        for word in tool.invocation.operands(tool.facts.get("value-options", ())):
            name = package_name(word.value or "")
            for row in rows:
                if name in row["by"] and row["package"] not in {package.name for package in needs}:
                    if name in gone and row["package"] != _CERTIFICATES:
                        reason = f"{name} is removed again, and {row['package']}, which it recommends, would stay"
                        raise Refusal(reason, f"name {row['package']} where {name} is installed and removed")
                    needs.append(NeededPackage(row["package"], word, row["why"].replace("NAME", name)))
            written = body.text[word.start : word.end]
            if word.value is None and written.lstrip('"').startswith("$"):
                variable = variable or written
        lacks = any(row["package"] == _CERTIFICATES for row in rows)
        if variable and lacks and _CERTIFICATES not in {package.name for package in needs}:
            reason = f"{variable} may name a package that needs ca-certificates for https"
            raise Refusal(reason, "name ca-certificates in an installation, where https is spoken")
        return needs


def exceptions_text(exceptions: dict[str, str]) -> str:
    """What is said of packages that are named, by why."""
    reasons = dict.fromkeys(exceptions.values())
    named = {why: [package for package, reason in exceptions.items() if reason == why] for why in reasons}
    return "; ".join(f"{' and '.join(packages)}, which {why}" for why, packages in named.items())


def lineage(program: Program, stage: Stage) -> set[int]:
    """The stage and all that it is built on."""
    found = {stage.index}
    while stage.parent is not None:
        stage = program.stages[stage.parent]
        found.add(stage.index)
    return found


def _calls(program: Program, root: Stage, facts: Facts) -> dict[str, int]:
    """The programs that RUNs of a stage and of those that stand on it call, or the image starts, with the last step
    that does."""
    calls: dict[str, int] = {}
    stages = [stage for stage in program.stages if program.root(stage) is root]
    for stage in stages:
        for step in stage.steps:
            if step.node.keyword == "RUN":
                for invocation in program.run_commands(step).invocations:
                    if invocation.program is not None:
                        calls[invocation.program] = step.index
    for stage in stages:
        if stage is program.final:
            calls.update((name, _ALWAYS) for run in started(program, stage, facts).runs for name in run.names)
    return calls


def _brought(program: Program, stage: Stage, row: dict[str, Any]) -> Step | None:
    """The first RUN that installs the package, or one that depends on it; of one that is no program's name, that names
    it. None where none does."""
    packages = {row["package"], *row["brings"]}
    for step in layer_steps(program, stage):
        if step.node.keyword == "RUN":
            if not row["called"] and any(package in run_text(program, step) for package in packages):
                return step
            if any(package_name(package) in packages for tool in tools(program, step) for package in tool.packages):
                return step
    return None


def _used(program: Program, stage: Stage, step: Step, brought: Step, row: dict[str, Any]) -> bool:
    """Whether what the package is for may be done from `step` on before a later step, `brought`, brings it."""
    programs = {*(row["called"] or row["by"])}
    for other in layer_steps(program, stage):
        if other.node.keyword != "RUN" or not step.index <= other.index <= brought.index:
            continue
        text = run_text(program, other)
        if other is brought:
            found = (text.find(name) for name in (row["package"], *row["brings"]))
            return not row["called"] and "https:" in text[: min((at for at in found if at >= 0), default=0)]
        if not row["called"] and "https:" in text:
            return True
        for invocation in program.run_commands(other).invocations:
            name = invocation.program
            if name is None or name in programs or "/" in (invocation.path or ""):
                return True
    return False


def behind(
    program: Program, step: Step, body: Body, tool: Tool, needed: list[NeededPackage]
) -> Iterator[tuple[Edit, EditWords]]:
    """Packages behind those that recommend them, the last first: on lines of their own where these stand on one."""
    words = tool.invocation.node.words
    for at in sorted({package.word.start for package in needed}, reverse=True):
        index = next(i for i, other in enumerate(words) if other.start == at)
        start, end = body.span(at, words[index].end)
        gap = program.text[body.span(words[index - 1].start, words[index - 1].end)[1] : start]
        separator = gap if "\n" in gap and "#" not in gap else " "
        names = tuple(package.name for package in needed if package.word.start == at)
        text = "".join(f"{separator}{name}" for name in names)
        yield Edit(end, end, text), EditWords(step.index, tool.start, index + 1, 0, names)
