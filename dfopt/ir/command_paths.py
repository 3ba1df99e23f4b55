"""Where a shell finds programs: it keeps the path of each program that it ran, and runs it from there again."""

from __future__ import annotations

from dfopt.ir.commands import SUBSTITUTION
from dfopt.ir.effects import manager
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

# what ends the name of a package in an operand: a version, an extra
_NAME_END = regex(r"(?<=.)@|[=<>~!\[;]")


def stale_path(program: Program, steps: Sequence[Step], position: int) -> str:
    """A program that step `position` of `steps`, run in one shell, makes the shell keep the path of, although it may
    be installed elsewhere or removed after that, before a later step calls it; "" where there is none."""
    if not _calls(program, steps[position]):
        return ""
    calls = [_calls(program, step) for step in steps[position:]]
    for name, indices in calls[0].items():
        later = [(place, index) for place, called in enumerate(calls) if place for index in called.get(name, ())]
        if later and any((0, indices[0]) <= move < later[-1] for move in _moves(program, steps[position:], name)):
            return name
    return ""


def _calls(program: Program, step: Step) -> dict[str, list[int]]:
    """The programs that the step's shell looks up in PATH, but for the system's own -> the indices of the
    invocations."""
    return program.once(("programs called", step.index), _list_calls, program, step)


def _list_calls(program: Program, step: Step) -> dict[str, list[int]]:
    shells = table("shells")
    never = {*shells["leaks"], *shells["harmless"]["names"], *shells["command-paths"]["system"]}
    listed = program.commands(step)
    calls: dict[str, list[int]] = {}
    for index, invocation in enumerate(listed.invocations):
        if invocation.nested or invocation.where == SUBSTITUTION or not invocation.node.words:
            continue
        word = invocation.program if invocation.wrappers[:1] == ("command",) else invocation.node.words[0].value
        if word and "/" not in word and word not in never and word not in listed.functions:
            calls.setdefault(word, []).append(index)
    return calls


def _moves(program: Program, steps: Sequence[Step], name: str) -> Iterator[tuple[int, int]]:
    """The commands, as (position of the step, index of the invocation), that may move a program."""
    for place, step in enumerate(steps):
        for index, invocation in enumerate(program.commands(step).invocations):
            if _may_move(program, step, invocation, name):
                yield place, index


def _may_move(program: Program, step: Step, invocation: Invocation, name: str) -> bool:
    """Whether a command may put a program at another place in PATH, or take it away."""
    facts = table("shells")["command-paths"]
    if invocation.program is None or invocation.program in facts["read-names"]:
        return False
    for value in invocation.values:
        if value is not None and not value.startswith("-"):
            package = _NAME_END.split(value, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
            if package == name or name in facts["provides"].get(package, ()):
                return True
    if _of_one_family(invocation.program, name):
        return False
    words = facts["anything"].get(invocation.program)
    if words is not None and (not words or any(value in words for value in invocation.values)):
        return True
    return name not in facts["fetchers"] and any(
        effect.kind == "opaque" and effect.at == invocation.node.start for effect in program.effects(step)
    )


def _of_one_family(program: str, name: str) -> bool:
    facts: Any = manager(program)
    other: Any = manager(name)
    return facts is not None and other is not None and facts["family"] == other["family"]
