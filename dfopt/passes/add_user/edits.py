"""What add-user writes: the way back to the user before `USER root`, or a user and its directories."""

from __future__ import annotations

from dfopt.analysis.build_facts import with_reason
from dfopt.analysis.laid_out import laid_out
from dfopt.analysis.startup import UNCLEAR, command_elsewhere, started
from dfopt.analysis.users import owners
from dfopt.editing.instruction_insert import PASSWD, insert_steps
from dfopt.facts import Facts
from dfopt.findings import Declares, Fix
from dfopt.ir.effects import covers
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.shell_body import shell_kind
from dfopt.lazy import regex
from dfopt.passes.add_user.choice import choose_user, seen_creation
from dfopt.passes.add_user.observed import observed_needs
from dfopt.passes.add_user.obstacles import check_comments, check_files, check_ports, check_start, late_writer
from dfopt.passes.add_user.paths import below_system, may_own
from dfopt.passes.add_user.writes import (
    ScriptWrites,
    data_directories,
    ran_as_root,
    unpacked,
    writes_beside_code,
)
from dfopt.record import replace
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.startup import Started
    from dfopt.analysis.users import BaseUsers
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.add_user.choice import UserChoice

_FILES = frozenset(("RUN", "COPY", "ADD", "WORKDIR", "VOLUME", "USER", "SHELL"))
_STARTS = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK"))
_PLAIN = regex(r"[\w./-]+\Z")

DECLARES = Declares(
    paths=(
        "/etc/passwd*", "/etc/group*", "/etc/shadow*", "/etc/gshadow*", "/etc/subuid*", "/etc/subgid*",
        "/home/**", "/var/mail/**", "/var/log/lastlog", "/var/log/faillog",
    ),
    owners=("/**",),
    settings=("User",),
)  # fmt: skip


def restored(program: Program, stage: Stage, said: Step, before: str, base: BaseUsers, facts: Facts) -> Fix:
    """The fix that goes back to the user of before `USER root`. Raises Refusal."""
    line = said.node.line
    if said.stage != stage.index:
        raise Refusal(f"line {line}, in a stage that this one is built on, says USER root")
    if not before:
        raise Refusal(f"line {line} says USER root")
    if not any(step.index > said.index and step.node.keyword == "RUN" for step in stage.steps):
        raise Refusal(
            f"line {line} says USER root, and no step behind it needs that", "remove it if nothing needs root"
        )
    startup = started(program, stage, facts, package_scripts=True)
    if before != base.user:  # a user that the base image has set for itself suits what that starts
        _check_said(program, stage, startup)
    check_ports(image_config(program, stage))
    if startup.said:
        check_start(startup, ScriptWrites(program, stage, facts, []))
    elif base.why:
        raise Refusal(base.why)
    edit, rewrites = insert_steps(program, _place(stage), ("USER", before))
    return Fix((edit,), tuple(rewrites), "unsafe")


def added(program: Program, stage: Stage, base: BaseUsers, facts: Facts, number: str, name: str) -> Fix:
    """The fix that brings a user and switches to it. `number`, `name`: of a new user. Raises Refusal."""
    steps = layer_steps(program, stage)
    config = image_config(program, stage)
    startup = started(program, stage, facts, package_scripts=True)
    if base.why:
        raise Refusal(base.why)
    _check_said(program, stage, startup)
    volumes = [volume for volume in config.volumes if isinstance(volume, str)]
    if len(volumes) != len(config.volumes):
        raise Refusal("a path of VOLUME is not known")
    closed = next((volume for volume in volumes if not may_own(volume) or not volume.startswith("/")), None)
    if closed is not None:
        raise Refusal(f"the volume {closed} cannot be given to a user", "use a directory that no package owns")
    seen = observed_needs(program, stage, facts)
    own = list(volumes)
    named = seen is None and any(step.node.keyword == "WORKDIR" for step in steps)  # the base's own one may be anything
    if named and isinstance(config.workdir, str) and may_own(config.workdir) and config.workdir not in own:
        own.insert(0, config.workdir)
    elif named and isinstance(config.workdir, Unknown):
        raise Refusal("an argument says what the working directory is", "write its path into WORKDIR")
    elif (
        named
        and isinstance(config.workdir, str)
        and below_system(config.workdir)
        and not covers("/root", config.workdir)
    ):
        raise Refusal(
            f"the working directory {config.workdir} cannot be given to a user",
            "set WORKDIR to a directory outside of the system's own",
        )
    given = () if seen is None else seen.own
    own += [path for path in given if path not in own]
    archive = unpacked(program, steps, config.workdir) if own and isinstance(config.workdir, str) else None
    if seen is None and archive is not None and config.workdir in own:
        why = f"line {archive.node.line} puts a program into {config.workdir}: where in it that writes is not known"
        raise Refusal(
            with_reason(why, facts),
            "write USER, and a chown of the directories that the program needs",
        )
    own += [path for path in data_directories(program, steps, config, startup) if path not in own]
    home = config.env.get("HOME")
    said = any(pair.name == "HOME" for step in steps if step.node.keyword == "ENV" for pair in step.node.pairs)
    if said and home not in own:
        raise Refusal(f"HOME is {home}, which is not made for a user", "make HOME a directory by `mkdir` or WORKDIR")
    check_ports(config, None if seen is None else seen.listens)
    check_comments(program)
    judged = seen is not None and facts.has_judge()  # else what no text tells, a run as root does not tell either
    check_start(startup, None if judged else ScriptWrites(program, stage, facts, own))
    check_files(program, stage, facts, bool(owners(program, steps)), given)
    if seen is None:
        writes_beside_code(startup, bool(own))
        ran_as_root(program, steps, startup)
    if not base.create and not base.own:
        base = replace(base, create=seen_creation(program, stage, facts))
    choice = choose_user(program, steps, base, number, name, facts)
    return switched(program, stage, facts, choice, own, volumes)


def switched(
    program: Program, stage: Stage, facts: Facts, choice: UserChoice, own: list[str], volumes: list[str]
) -> Fix:
    """The fix that makes `choice` the user, and gives it the directories `own` (`volumes` are among them). Raises
    Refusal."""
    scope = program.end_scope(stage)
    at = _place(stage)
    passwd = [(PASSWD, choice.passwd)] if choice.passwd else []
    if scope.base is not None and scope.base.sh == "none":
        if volumes:
            raise Refusal(f"there is no shell to give the volume {volumes[0]} to a user")
        if own:
            at = _before_workdir(program, stage, own[0])
        if len(own) > 1:
            raise Refusal(f"there is no shell to give {own[1]} to a user")
        edit, rewrites = insert_steps(program, at, *passwd, ("USER", choice.user))
        return Fix((edit,), tuple(rewrites), "unsafe")
    if not shell_kind(scope, program.dockerfile.escape).posix:
        raise Refusal("the shell is not known to read POSIX syntax")
    if not all(_PLAIN.match(path) for path in own):
        raise Refusal("a path of WORKDIR or VOLUME has unusual characters")
    # with builders other than BuildKit, what changes in a volume behind its declaration is lost
    first = next((step for step in stage.steps if step.node.keyword == "VOLUME"), None)
    if first is not None:
        for volume in volumes:
            writer = late_writer(program, [one for one in stage.steps if one.index > first.index], volume)
            if writer is not None:
                raise Refusal(f"line {writer.node.line} writes to the volume {volume} behind its declaration")
        if program.scope(first).user is not None and program.scope(first).root is not True:
            raise Refusal(f"in line {first.node.line}, where the user would be created, another user is in force")
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
        # mkdir makes the directories of volumes, which the image has only in containers otherwise
        parents = [path[:end] for path in own for end in range(1, len(path)) if path[end] == "/"]
        declares = replace(DECLARES, paths=(*DECLARES.paths, *dict.fromkeys((*own, *parents))))
        return Fix((edit, second), (*rewrites, *more), "unsafe", declares)
    return Fix((edit,), tuple(rewrites), "unsafe")


def _check_said(program: Program, stage: Stage, startup: Started) -> None:
    """Raises Refusal where the stage itself does not say what the image starts."""
    if not startup.said:
        raise Refusal("the file does not say what the image starts", "write CMD or ENTRYPOINT")
    if command_elsewhere(program, stage):
        raise Refusal(UNCLEAR, "write CMD or ENTRYPOINT in the last stage")


def _before_workdir(program: Program, stage: Stage, path: str) -> int:
    """The index of the WORKDIR that makes the directory `path`: it then belongs to the USER in force (BuildKit,
    dispatchWorkdir), which needs no shell. Raises Refusal where nothing shows that it makes it."""
    for step in stage.steps:
        later = [one for one in stage.steps if one.index > step.index]
        makes = step.node.keyword == "WORKDIR" and destination(program, step) == path
        if makes and not any(one.node.keyword == "RUN" for one in later):
            giver = next((one.node.line for one in later if _may_take(program, one, path)), None)
            if giver is not None:
                reason = f"line {giver} may bring the working directory {path} as another user's"
                raise Refusal(reason, "copy files and directories to where they belong, one by one")
            return step.index
        if step.node.keyword in ("COPY", "ADD", "RUN"):
            break
    raise Refusal(
        f"there is no shell to give the working directory {path} to a user",
        "write WORKDIR in front of what copies files there",
    )


def _may_take(program: Program, step: Step, path: str) -> bool:
    """Whether a COPY or ADD may bring the directory `path` itself, and with it another owner: what is copied to a
    directory above it may. The owner of the directory that is copied to stays."""
    target = destination(program, step) if step.node.keyword in ("COPY", "ADD") else path
    if target == path or (target is not None and not covers(target, path)):
        return False
    flag, sources = step.node.flag("from"), [argument.value for argument in step.node.arguments[:-1]]
    index = program.stage_named(flag.value, step.stage) if flag is not None and flag.value else None
    if target is None or index is None or len(sources) != 1:
        return True
    made = laid_out(program, program.stages[index], sources[0])
    brought = sources[0].rstrip("/") + path.removeprefix(target.rstrip("/"))
    return made is None or any(covers(brought, one) for one in made)


def _place(stage: Stage) -> int:
    """The index of the instruction before which USER goes: behind all that changes files, before what starts."""
    last = max([step.index for step in stage.steps if step.node.keyword in _FILES], default=stage.position)
    for step in stage.steps:
        if step.index > last and step.node.keyword in _STARTS:
            return step.index
    return stage.position + 1 + len(stage.steps)
