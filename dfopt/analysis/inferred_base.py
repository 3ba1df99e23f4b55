"""Which distribution's tools the steps of a file prove their base image to have: those of the package manager that they
run for certain."""

from __future__ import annotations

from dfopt.analysis.parents import DEEPEST, parent_program
from dfopt.ir.commands import INNER, TOP
from dfopt.ir.effects import manager, subcommand
from dfopt.ir.exit_status import fails_step
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

# Wrappers that keep the user
_SAME_USER = frozenset(("env", "exec", "command", "nice", "ionice", "time", "timeout", "nohup", "eatmydata", "builtin"))
_SYSTEM = frozenset(("apt", "apk", "dnf", "zypper", "pacman"))
_FAMILIES = {"apt": "debian", "apk": "alpine", "dnf": "rhel", "zypper": "suse", "pacman": "arch"}


def distribution(program: Program, stage: Stage, facts: Facts, depth: int = 0) -> str:
    """The distribution family ("debian", "alpine" ...) of the base image: whose package manager a step runs for
    certain, else that of its os-release or of the parent of the tree; "" where nothing tells, or where steps run those
    of several."""
    families = {
        _FAMILIES[family]
        for step in layer_steps(program, stage)
        if step.node.keyword == "RUN"
        for _, family in package_commands(program, step)
    }
    if families or depth >= DEEPEST:
        return families.pop() if len(families) == 1 else ""
    image = program.end_scope(stage).image
    known = facts.base_image(image) if image is not None else None
    if known is not None:
        return str(table("os_release")["family"].get(known.release()[0], ""))
    parent = parent_program(image, facts)
    if parent is None:
        return ""
    base = parent[0].end_scope(parent[1]).base
    return base.family if base is not None else distribution(*parent, facts, depth + 1)


def keeps_user(invocation: Invocation) -> bool:
    """Whether a command runs as the user of its step: no sudo, no su."""
    return not invocation.nested and _SAME_USER.issuperset(invocation.wrappers)


def certain_commands(program: Program, step: Step) -> Iterator[Invocation]:
    """The commands that ran, and succeeded, wherever the step did."""
    body = program.body(step)
    for invocation in program.run_commands(step).invocations:
        if invocation.where in (TOP, INNER) and (body.program is None or fails_step(body, invocation.node)):
            yield invocation


def package_commands(program: Program, step: Step) -> Iterator[tuple[Invocation, str]]:
    """The commands of a system's package manager that change what is installed, or renew the index."""
    for invocation in certain_commands(program, step):
        facts = manager(invocation.program)
        if facts is None or facts["family"] not in _SYSTEM or not keeps_user(invocation):
            continue
        does = facts["commands"].get(subcommand(invocation, facts)[0] or "", {})
        if does.get("installs") or does.get("refreshes") or does.get("removes"):
            yield invocation, facts["family"]
