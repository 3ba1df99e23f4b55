from __future__ import annotations

from dfopt.analysis.build_facts import ASK, with_reason
from dfopt.analysis.users import base_users, last_user
from dfopt.facts import Facts
from dfopt.findings import Benefit, Finding, refused
from dfopt.passes.add_user.edits import DECLARES, added, restored
from dfopt.passes.add_user.obstacles import SUPPRESS
from dfopt.passes.base import Option, Pass
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class AddUser(Pass):
    """Lets the image run as a user other than root, who exists.

    The user is the one that the base image brings for this (node, distroless' nonroot, dotnet's app), the one that the
    file creates already, or a new one, created as the base does it (useradd, busybox's adduser, a line in /etc/passwd),
    by number. The directory of WORKDIR, those of VOLUME and those that a RUN makes for the program are given to that
    user. USER stands behind all steps that change files, before CMD and ENTRYPOINT; in an image without a shell it
    stands in front of the WORKDIR, whose directory BuildKit then gives to it. After a `USER root` for some installation
    it goes back to the user of before.

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

    A build (`fix --verify`) tells the user and the start script of a base image, and how users are created there; its
    smoke script, while it runs, to what the image's program writes and on which ports it listens: then exactly these
    directories and files are given to the user, beside volumes and the directories that a RUN makes for data.

    Refuses: ports below 1024; programs that need root or choose the user themselves (nginx, sshd, cron, gosu, su-exec);
    start scripts that cannot be read, that prepare something as root, or write outside of the user's directories;
    packages that are installed at the start; a working directory into which an archive or a script put the program, or
    that an argument names; servers that write beside their code, or keep data in no directory of the file's; files
    below /root, or that root alone can read; a RUN that makes data for the program (`manage.py migrate`); an
    interactive shell or interpreter; an image that does not say what it starts, or takes that from another stage; a
    base image of which no user is known; a `USER root` behind which nothing is installed; a copy that may bring an
    /etc/passwd without the user. What a program writes where cannot be seen: the fix is `unsafe`.

    Declares: a RUN that creates the user and gives it its directories (where that is needed), and USER.
    """

    name = "add-user"
    group = "security"
    tiers = ("unsafe",)
    phase = "runtime"
    codes = ("DL3002", "CIS-DI-0001", "CKV_DOCKER_3", "CKV_DOCKER_8", "DS-0002")
    order = 70
    options = (
        Option("uid", "int", 10001, "the number of a user that is created"),
        Option("name", "string", "app", "the name of a user that is created"),
    )
    declares = DECLARES

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        stage = program.final
        if stage is None:
            return
        scope = program.end_scope(stage)
        if isinstance(scope.user, Unknown) or (scope.user is not None and scope.root is False):
            return
        if scope.base is not None and scope.base.family == "windows":
            return
        base = base_users(program, stage, facts)
        said, before = last_user(program, stage)
        if scope.user is None and base.root is False:
            return
        node = said.node if said is not None and said.stage == stage.index else stage.node
        try:
            if said is not None:
                user = before or base.user
                fix = restored(program, stage, said, user, base, facts)
                message = f"the image runs as root; go back to the user {user}"
            elif base.root is None:
                image = scope.image or "its base image"
                raise Refusal(with_reason(f"whether {image} runs as root is not known", facts), ASK)
            else:
                fix = added(program, stage, base, facts, str(self.settings["uid"]), str(self.settings["name"]))
                message = "run as a dedicated non-root user"
        except Refusal as refusal:
            refusal.unblock = refusal.unblock or SUPPRESS
            yield refused(self.name, "the image runs as root", node.start, node.end, refusal)
        else:
            yield Finding(self.name, message, node.start, node.end, fix, benefit=Benefit(root=True))
