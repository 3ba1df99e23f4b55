from __future__ import annotations

from dfopt.ir.body import shell_kind
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import chain
from dfopt.lazy import regex
from dfopt.passes._insert import PASSWD, insertion
from dfopt.passes._nonroot import file_obstacle, late_writer, may_own, port_obstacle, start_obstacle
from dfopt.passes._started import UNCLEAR, command_elsewhere, started
from dfopt.passes._user_choice import choose_user
from dfopt.passes._users import base_users, last_user, owners
from dfopt.passes.base import Declares, Facts, Finding, Fix, Option, Pass
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program, Stage, Step
    from dfopt.passes._started import Started
    from dfopt.passes._user_choice import Choice
    from dfopt.passes._users import BaseUsers

_FILES = frozenset(("RUN", "COPY", "ADD", "WORKDIR", "VOLUME", "USER", "SHELL"))
_STARTS = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK"))
_PLAIN = regex(r"[\w./-]+\Z")


class AddUser(Pass):
    """Lets the image run as a user other than root, who exists.

    The user is the one that the base image brings for this (node, distroless' nonroot, dotnet's app), the one that the
    file creates already, or a new one, created as the base does it (useradd, busybox's adduser, a line in /etc/passwd),
    by number. The directory of WORKDIR and those of VOLUME are given to that user. USER stands behind all steps that
    change files, before CMD and ENTRYPOINT. After a `USER root` for some installation it goes back to the user of
    before.

    Why: a process that is taken over as root may change every file of the container, and a hole in the kernel or in the
    engine makes it root on the host. Kubernetes' `runAsNonRoot` wants a number.

    Example:

    ```dockerfile
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    EXPOSE 8000
    CMD ["python", "app.py"]
    ```

    ```dockerfile
    FROM python:3.13-slim
    WORKDIR /app
    COPY . .
    EXPOSE 8000
    RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
    USER 10001
    CMD ["python", "app.py"]
    ```

    Refuses: ports below 1024; programs that need root or choose the user themselves (nginx, sshd, cron, gosu, su-exec);
    start scripts that cannot be read, that prepare something as root, or write outside of the user's directories;
    packages that are installed at the start; files below /root, or that root alone can read; an interactive shell or
    interpreter; an image that does not say what it starts, or takes that from another stage; a base image of which no
    user is known; a `USER root` behind which nothing is installed. What a program writes where cannot be seen: the fix
    is `unsafe`.

    Declares: a RUN that creates the user and gives it its directories (where that is needed), and USER.
    """

    name = "add-user"
    group = "security"
    codes = ("DL3002", "CIS-DI-0001", "CKV_DOCKER_3", "CKV_DOCKER_8", "DS-0002", "AVD-DS-0002")
    order = 70
    options = (
        Option("uid", "int", 10001, "the number of a user that is created"),
        Option("name", "string", "app", "the name of a user that is created"),
    )
    declares = Declares(
        paths=(
            "/etc/passwd*", "/etc/group*", "/etc/shadow*", "/etc/gshadow*", "/etc/subuid*", "/etc/subgid*",
            "/home/**", "/var/mail/**", "/var/log/lastlog", "/var/log/faillog",
        ),
        owners=("/**",),
        settings=("User",),
    )  # fmt: skip

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        stage = program.final
        if stage is None:
            return
        scope = program.end_scope(stage)
        if isinstance(scope.user, Unknown) or (scope.user is not None and scope.root is False):
            return
        if scope.base is not None and scope.base.family == "windows":
            return
        family = scope.base.family if scope.base is not None else None
        base = base_users(scope.image, family, scope.base.user if scope.base is not None else None, facts)
        said, before = last_user(program, stage)
        if scope.user is None and base.root is False:
            return
        node = said.node if said is not None and said.stage == stage.index else stage.node
        message = "the image runs as root"
        reason = ""
        fix = None
        if said is not None:
            before = before or base.user
            fix, reason = self.restored(program, stage, said, before, base, facts)
            message += f"; go back to the user {before}" if fix is not None else ""
        elif base.root is None:
            reason = f"whether {scope.image or 'its base image'} runs as root is not known"
        else:
            fix, reason = self.added(program, stage, base, facts)
            message = "run as a user of its own, not as root" if fix is not None else message
        yield Finding(self.name, message, node.start, node.end, fix, reason)

    def restored(
        self, program: Program, stage: Stage, said: Step, before: str, base: BaseUsers, facts: Facts
    ) -> tuple[Fix | None, str]:
        """The fix that goes back to the user of before `USER root`; else why there is none."""
        line = said.node.line
        if not before:
            return None, f"line {line} says USER root"
        if said.stage != stage.index or not any(s.index > said.index and s.node.keyword == "RUN" for s in stage.steps):
            return None, f"line {line} says USER root, and no step behind it needs that"
        config = image_config(program, stage)
        begun = started(program, stage, facts)
        # a user that the base image has set for itself suits what that starts
        reason = "" if before == base.user else _unsaid(program, stage, begun)
        reason = reason or port_obstacle(config) or (start_obstacle(begun, ()) if begun.said else base.why)
        if reason:
            return None, reason
        edit, rewrites = insertion(program, _place(stage), ("USER", before))
        return Fix((edit,), tuple(rewrites), "unsafe"), ""

    def added(self, program: Program, stage: Stage, base: BaseUsers, facts: Facts) -> tuple[Fix | None, str]:
        """The fix that brings a user and switches to it; else why there is none."""
        steps = chain(program, stage)
        config = image_config(program, stage)
        begun = started(program, stage, facts)
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
        given = bool(owners(program, steps))
        reason = port_obstacle(config) or start_obstacle(begun, own) or file_obstacle(program, steps, given)
        if reason:
            return None, reason
        number, name = str(self.settings["uid"]), str(self.settings["name"])
        choice, reason = choose_user(program, steps, base, number, name)
        if choice is None:
            return None, reason
        return self.switched(program, stage, choice, own, volumes)

    def switched(
        self, program: Program, stage: Stage, choice: Choice, own: list[str], volumes: list[str]
    ) -> tuple[Fix | None, str]:
        """The fix that makes `choice` the user, and gives it the directories `own` (`volumes` are among them)."""
        scope = program.end_scope(stage)
        at = _place(stage)
        made = [(PASSWD, choice.passwd)] if choice.passwd else []
        if scope.base is not None and scope.base.sh == "none":
            if volumes:
                return None, f"there is no shell to give the volume {volumes[0]} to a user"
            edit, rewrites = insertion(program, at, *made, ("USER", choice.user))
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
            edit, rewrites = insertion(program, at, ("USER", choice.user))
        elif first is None:
            edit, rewrites = insertion(program, at, run, ("USER", choice.user))
        else:
            edit, rewrites = insertion(program, first.index, run)
            second, more = insertion(program, at, ("USER", choice.user))
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
