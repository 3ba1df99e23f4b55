"""Whether a variable is set where a step expands it, and what says so."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

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


def set_before(program: Program, stage: Stage, step: Step) -> set[str]:
    """The variables that the file sets before a step: by ENV and ARG, in the stages that it stands on too."""
    names: set[str] = set()
    at: Stage | None = stage
    while at is not None:
        for earlier in at.steps:
            if earlier.index < step.index and earlier.node.keyword in ("ENV", "ARG"):
                names.update(pair.name.strip("\"'") for pair in earlier.node.pairs)
        at = program.stages[at.parent] if at.parent is not None else None
    return names


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
