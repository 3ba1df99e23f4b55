"""Whether the preconditions of a recipe hold for a file."""

from __future__ import annotations

import re

from dfopt.ir.base_images import split_image
from dfopt.syntax import automaton
from dfopt.syntax.automaton import LinearPattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.recipes.model import When


def unmet(when: When, program: Program, facts: Facts) -> str:
    """Which precondition fails, and why; "" if all hold. A precondition on an unknown fact fails."""
    count = len(program.stages)
    if when.min_stages is not None and count < when.min_stages:
        return f"the file has {count} of the {when.min_stages} stages that it needs"
    if when.max_stages is not None and count > when.max_stages:
        return f"the file has more than {when.max_stages} stages ({count})"
    present = {step.effective.keyword for stage in program.stages for step in stage.steps}
    for name in when.instructions:
        if name.upper() not in present:
            return f"the file has no {name.upper()}"
    for name in when.without:
        if name.upper() in present:
            return f"the file has {name.upper()}"
    return _base(when, program) or _context(when, facts)


def _base(when: When, program: Program) -> str:
    if not when.family and not when.image:
        return ""
    stage = program.final
    scope = program.end_scope(stage) if stage is not None else None
    image = scope.image if scope is not None else None
    if when.family:
        family = scope.base.family if scope is not None and scope.base is not None else None
        if family is None:
            return f"the family of {image or 'the base image'} is not known"
        if family not in when.family:
            return f"the base image is of the family {family}, not {_either(when.family)}"
    if when.image:
        if image is None:
            return "the base image is not known"
        name = split_image(image)[0]
        if not any(matcher(pattern).fullmatch(name) for pattern in when.image):
            return f"the base image is {name}, not {_either(when.image)}"
    return ""


def _context(when: When, facts: Facts) -> str:
    if not when.context:
        return ""
    paths = facts.context_paths()
    if paths is None:
        return f"whether the build context has {when.context[0]} is not known"
    for pattern in when.context:
        if not any(map(matcher(pattern).fullmatch, paths)):
            return f"the build context has no {pattern}"
    return ""


def matcher(pattern: str) -> LinearPattern:
    """Matches names with `pattern`, in which `*` is any characters except "/", and `**` any at all."""
    nodes = []
    for part in re.split(r"(\*+)", pattern):
        star = automaton.ANY if len(part) > 1 else automaton.NOT_SLASH
        nodes.append(automaton.any_number(star) if part[:1] == "*" else automaton.literal(part))
    return LinearPattern(automaton.sequence(nodes))


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
