"""What add-user writes: the way back to a user of before, or a user and its directories; else why it cannot."""

from __future__ import annotations

from dfopt.analysis.build_facts import with_reason
from dfopt.analysis.startup import UNCLEAR, command_elsewhere, started
from dfopt.analysis.users import owners
from dfopt.editing.instruction_insert import PASSWD, insert_steps
from dfopt.facts import Facts
from dfopt.findings import Fix
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.shell_body import shell_kind
from dfopt.lazy import regex
from dfopt.passes.add_user.choice import choose_user, seen_creation
from dfopt.passes.add_user.obstacles import (
    comment_obstacle,
    file_obstacle,
    late_writer,
    port_obstacle,
    start_obstacle,
)
from dfopt.passes.add_user.paths import may_own
from dfopt.passes.add_user.writes import ScriptWrites, builder_at_start, data_directories, development_server
from dfopt.record import replace
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.startup import Started
    from dfopt.analysis.users import BaseUsers
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.add_user.choice import Choice

_FILES = frozenset(("RUN", "COPY", "ADD", "WORKDIR", "VOLUME", "USER", "SHELL"))
_STARTS = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK"))
_PLAIN = regex(r"[\w./-]+\Z")


def restored(
    program: Program, stage: Stage, said: Step, before: str, base: BaseUsers, facts: Facts
) -> tuple[Fix | None, str]:
    """The fix that goes back to the user of before `USER root`; else why there is none."""
    line = said.node.line
    if said.stage != stage.index:
        return None, f"line {line}, in a stage that this one is built on, says USER root"
    if not before:
        return None, f"line {line} says USER root"
    if not any(s.index > said.index and s.node.keyword == "RUN" for s in stage.steps):
        return None, f"line {line} says USER root, and no step behind it needs that"
    config = image_config(program, stage)
    begun = started(program, stage, facts, package_scripts=True)
    # a user that the base image has set for itself suits what that starts
    reason = "" if before == base.user else _unsaid(program, stage, begun)
    reason = (
        reason
        or port_obstacle(config)
        or (start_obstacle(begun, ScriptWrites(program, stage, facts, [])) if begun.said else base.why)
    )
    if reason:
        return None, reason
    edit, rewrites = insert_steps(program, _place(stage), ("USER", before))
    return Fix((edit,), tuple(rewrites), "unsafe"), ""


def added(
    program: Program, stage: Stage, base: BaseUsers, facts: Facts, number: str, name: str
) -> tuple[Fix | None, str]:
    """The fix that brings a user and switches to it; else why there is none. `number`, `name`: of a new user."""
    steps = layer_steps(program, stage)
    config = image_config(program, stage)
    begun = started(program, stage, facts, package_scripts=True)
    if base.why:
        return None, base.why
    reason = _unsaid(program, stage, begun)
    if reason:
        return None, reason
    volumes = [volume for volume in config.volumes if isinstance(volume, str)]
    if len(volumes) != len(config.volumes):
        return None, "a path of VOLUME is not known"
    closed = next((volume for volume in volumes if not may_own(volume) or not volume.startswith("/")), None)
    if closed is not None:
        return None, f"the volume {closed} cannot be given to a user"
    own = list(volumes)
    said = any(step.node.keyword == "WORKDIR" for step in steps)  # the base's own one may be anything
    if said and isinstance(config.workdir, str) and may_own(config.workdir) and config.workdir not in own:
        own.insert(0, config.workdir)
    own += [path for path in data_directories(program, steps, config, begun) if path not in own]
    given = bool(owners(program, steps))
    writes = ScriptWrites(program, stage, facts, own)
    reason = port_obstacle(config) or comment_obstacle(program) or start_obstacle(begun, writes)
    reason = reason or file_obstacle(program, steps, given)
    if reason:
        return None, reason
    try:
        development_server(begun)
        builder_at_start(program, steps, begun)
    except Refusal as refusal:
        return None, refusal.reason
    if not base.create and not base.own:
        base = replace(base, create=seen_creation(program, stage, facts))
    choice, reason = choose_user(program, steps, base, number, name)
    if choice is None:
        return None, with_reason(reason, facts)
    return switched(program, stage, choice, own, volumes)


def switched(
    program: Program, stage: Stage, choice: Choice, own: list[str], volumes: list[str]
) -> tuple[Fix | None, str]:
    """The fix that makes `choice` the user, and gives it the directories `own` (`volumes` are among them)."""
    scope = program.end_scope(stage)
    at = _place(stage)
    made = [(PASSWD, choice.passwd)] if choice.passwd else []
    if scope.base is not None and scope.base.sh == "none":
        if volumes:
            return None, f"there is no shell to give the volume {volumes[0]} to a user"
        edit, rewrites = insert_steps(program, at, *made, ("USER", choice.user))
        return Fix((edit,), tuple(rewrites), "unsafe"), ""
    if not shell_kind(scope, program.dockerfile.escape).posix:
        return None, "the shell is not known to read POSIX syntax"
    if not all(_PLAIN.match(path) for path in own):
        return None, "a path of WORKDIR or VOLUME has unusual characters"
    # with builders other than BuildKit, what changes in a volume behind its declaration is lost
    first = next((step for step in stage.steps if step.node.keyword == "VOLUME"), None)
    if first is not None:
        for volume in volumes:
            writer = late_writer(program, [one for one in stage.steps if one.index > first.index], volume)
            if writer is not None:
                return None, f"line {writer.node.line} writes to the volume {volume} behind its declaration"
        if program.scope(first).user is not None and program.scope(first).root is not True:
            return None, f"in line {first.node.line}, where the user would be created, another user is in force"
    commands = [choice.create] if choice.create else []
    if first is not None and own:
        commands.append(f"mkdir -p {' '.join(own)}")
    if own:
        commands.append(f"chown {choice.owner} {' '.join(own)}")
    run = ("RUN", " && ".join(commands))
    if not commands:
        edit, rewrites = insert_steps(program, at, ("USER", choice.user))
    elif first is None:
        edit, rewrites = insert_steps(program, at, run, ("USER", choice.user))
    else:
        edit, rewrites = insert_steps(program, first.index, run)
        second, more = insert_steps(program, at, ("USER", choice.user))
        return Fix((edit, second), (*rewrites, *more), "unsafe"), ""
    return Fix((edit,), tuple(rewrites), "unsafe"), ""


def _unsaid(program: Program, stage: Stage, begun: Started) -> str:
    """Why what the image starts does not tell who could run it; "" where the stage says it."""
    if not begun.said:
        return "the file does not say what the image starts"
    return UNCLEAR if command_elsewhere(program, stage) else ""


def _place(stage: Stage) -> int:
    """The index of the instruction before which USER goes: behind all that changes files, before what starts."""
    last = max([step.index for step in stage.steps if step.node.keyword in _FILES], default=stage.position)
    for step in stage.steps:
        if step.index > last and step.node.keyword in _STARTS:
            return step.index
    return stage.position + 1 + len(stage.steps)
