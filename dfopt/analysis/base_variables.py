"""Whether a variable is set where a step expands it, and what says so."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from dfopt.analysis.near_names import NearNames
from dfopt.ir.base_images import ImageRows
from dfopt.knowledge import table
from dfopt.syntax.shell.nodes import Parameter
from dfopt.syntax.shell.walk import iter_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

_rows: ImageRows | None = None


def set_by_base(image: str | None, name: str, facts: Facts) -> bool | None:
    """Whether a base image sets a variable; None where that is not known."""
    global _rows
    if _fits(name, table("base_variables")["anywhere"]):
        return True
    if image is None:
        return None
    config = facts.image_config(image)
    if config is not None:
        return any(entry.partition("=")[0] == name for entry in config.get("Env") or ())
    if "onbuild" in image:  # its triggers may set more
        return None
    if _rows is None:
        _rows = ImageRows(table("base_variables")["image"])
    row = _rows.find(image)
    return None if row is None else _fits(name, row["names"])


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class SetVariables:
    """The variables that the file sets in a stage or those that it stands on, by ENV and ARG."""

    def __init__(self, program: Program, stage: Stage) -> None:
        self._first: dict[str, int] = {}  # name -> the first step (its index) that sets it
        at: Stage | None = stage
        while at is not None:
            for step in at.steps:
                if step.node.keyword in ("ENV", "ARG"):
                    for pair in step.node.pairs:
                        name = pair.name.strip("\"'")
                        self._first[name] = min(step.index, self._first.get(name, step.index))
            at = program.stages[at.parent] if at.parent is not None else None
        self._near: NearNames | None = None

    def before(self, step: Step, name: str) -> bool:
        """Whether a variable is set in front of a step."""
        return self._first.get(name, step.index) < step.index

    def near(self, step: Step, name: str) -> str:
        """The variable set in front of a step that is meant by a name but for a slip; "" for none."""
        if self._near is None:
            self._near = NearNames(self._first)
        return self._near.nearest(name, lambda other: self.before(step, other))


def set_variables(program: Program, stage: Stage) -> SetVariables:
    """The variables of a stage (made once)."""
    return program.once(("set variables", stage.index), SetVariables, program, stage)


def plain_uses(body: Body, names: Container[str]) -> dict[str, Parameter]:
    """Of the variables `names`, those that a shell text only ever asks for, as `$name` or `${name}`: the first use of
    each. One that the text sets, gives a default, or speaks of in any other way is left out."""
    uses: dict[str, list[Parameter]] = {}
    if body.program is None:
        return {}
    for node in iter_nodes(body.program.script):
        if isinstance(node, Parameter) and node.name in names:
            uses.setdefault(node.name, []).append(node)
    only: dict[str, Parameter] = {}
    for name, parameters in uses.items():
        words = re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", body.text)
        plain = [one for one in parameters if body.text[one.start : one.end] in (f"${name}", f"${{{name}}}")]
        if len(plain) == len(words):
            only[name] = plain[0]
    return only
