"""ca-certificates: which packages recommend them, and whether an image has them anyway."""

from __future__ import annotations

from dfopt.analysis.package_managers import package_name
from dfopt.analysis.run_steps import run_text
from dfopt.edit import Edit
from dfopt.ir.base_images import ImageRows
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.findings import Fix
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.shell.nodes import Word


def names_certificates(fix: Fix) -> bool:
    return any("ca-certificates" in edit.text for edit in fix.edits)


def lineage(program: Program, stage: Stage) -> set[int]:
    """The stage and all that it is built on."""
    found = {stage.index}
    while stage.parent is not None:
        stage = program.stages[stage.parent]
        found.add(stage.index)
    return found


def lacks_certificates(program: Program, step: Step) -> bool:
    """Whether neither the base image nor a step of the chain is known to bring ca-certificates."""
    known = table("recommends")
    image = program.scope(step).image
    if image is not None and ImageRows(known["present"]).find(image) is not None:
        return False
    return not program.once(("ca-certificates", step.stage), _brought, program, program.stages[step.stage])


def _brought(program: Program, stage: Stage) -> bool:
    """Whether a RUN installs a package that brings certificates."""
    brings: list[str] = table("recommends")["brings"]
    runs = [step for step in layer_steps(program, stage) if step.node.keyword == "RUN"]
    return any(package in run_text(program, step) for step in runs for package in brings)


def needing(body: Body, tool: Tool) -> tuple[Word, str] | None:
    """The first package of the command that needs a recommended one, and that. Raises Refusal where there is none, but
    a variable whose value may name one."""
    needed: dict[str, list[str]] = table("recommends")["needed"]
    variable = ""
    for word in tool.invocation.operands(tool.facts.get("value-options", ())):
        name = package_name(word.value or "")
        if name in needed:
            return word, needed[name][0]
        written = body.text[word.start : word.end]
        if word.value is None and written.lstrip('"').startswith("$"):
            variable = variable or written
    if variable:
        reason = f"{variable} may name a package that needs ca-certificates for https"
        raise Refusal(reason, "name ca-certificates in an installation, where https is spoken")
    return None


def behind(program: Program, step: Step, body: Body, tool: Tool, word: Word, package: str) -> tuple[Edit, EditWords]:
    """A package behind another one: on a line of its own where that stands on one."""
    words = tool.invocation.node.words
    index = next(i for i, other in enumerate(words) if other.start == word.start)
    start, end = body.span(word.start, word.end)
    gap = program.text[body.span(words[index - 1].start, words[index - 1].end)[1] : start]
    separator = gap if "\n" in gap and "#" not in gap else " "
    return Edit(end, end, f"{separator}{package}"), EditWords(step.index, tool.start, index + 1, 0, (package,))
