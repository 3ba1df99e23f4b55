from __future__ import annotations

from dfopt.analysis.startup import UNCLEAR, command_elsewhere
from dfopt.editing.instruction_insert import insert_steps
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.passes.base import Option, Pass
from dfopt.passes.strip_suid.copied import copied_findings
from dfopt.passes.strip_suid.edits import (
    alone,
    appended,
    check_place,
    family_of,
    of_base,
    price_by_table,
    price_of,
    words,
)
from dfopt.passes.strip_suid.sources import brings, strips
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


class StripSuid(Pass):
    """Takes the setuid and setgid bits from the programs of the image.

    One `find` in the image that is shipped, behind the last step that may bring such programs, and in that step's own
    RUN, so that nothing which it installs is stored twice. What the base image brings is stored once more (Debian: 11
    files, 0.7 MB). `sudo`, `ping` and `su-exec` keep their bits, as do programs that the image's command names where it
    runs as another user. For an image on scratch or distroless the find runs in the stage whose directories it copies.

    Why: these programs run as root, whoever starts them. A hole in one of them, or in how it is called, makes a process
    that was taken over root in the container.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && \\
        apt-get install -y curl
    COPY app /app
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && \\
        apt-get install -y curl && \\
        find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
    COPY app /app
    ```

    A build (`fix --verify`) tells which such files there are, and whether there is a find, where the base is not known.

    Refuses: a base image that may have no find; steps that install as another user than root; files that set such a bit
    themselves; packages that fail without it (postfix, fuse, chromium's sandbox); ONBUILD. Does nothing where the file
    looks for such programs itself, where nothing brings any (Alpine, busybox), or without a shell.

    `-O2` and `-O3` take the bits only where nothing is stored again: a level never makes an image larger.

    Declares: a RUN gains one command at its end, or a RUN with that command comes in. `unsafe`: modes change.
    """

    name = "strip-suid"
    group = "security"
    tiers = ("unsafe",)
    phase = "runtime"
    codes = ("CIS-DI-0008",)
    order = 60
    options = (Option("keep", "strings", ("ping", "su-exec", "sudo"), "names of programs that keep their bits"),)
    declares = Declares(setid=("/**",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        stage = program.final
        if stage is None:
            return
        scope = program.end_scope(stage)
        if scope.base is not None and scope.base.family == "windows":
            return
        steps = layer_steps(program, stage)
        if any(strips(program, step) for step in steps):
            return
        if scope.base is not None and scope.base.sh == "none" and not scope.shell_set:
            yield from copied_findings(self.name, program, stage, facts, self.settings["keep"])
        else:
            yield from self.shipped(program, stage, facts)

    def shipped(self, program: Program, stage: Stage, facts: Facts) -> Iterator[Finding]:
        """The finding of an image that has a shell."""
        family = family_of(program, stage)
        last = next((step for step in reversed(stage.steps) if brings(program, step)), None)
        while last is None and stage.parent is not None and alone(program, stage):
            stage = program.stages[stage.parent]
            last = next((step for step in reversed(stage.steps) if brings(program, step)), None)
        own = table("suid")["base"].get(family or "", {})
        parents = layer_steps(program, stage)[: -len(stage.steps)] if stage.steps else layer_steps(program, stage)
        if (
            last is None
            and (own.get("files") == 0 or of_base(program, facts, self.settings["keep"]) == [])
            and not any(brings(program, step) for step in parents)
        ):
            return
        node = last.node if last is not None else stage.node
        source = "what is installed" if last is not None else "the programs that the stage is built on"
        message = f"take the setuid bits from {source}"
        try:
            if command_elsewhere(program, program.stages[-1]):
                raise Refusal(UNCLEAR, "write CMD or ENTRYPOINT in the last stage")
            check_place(program, stage, last, facts)
        except Refusal as refusal:
            refusal.unblock = refusal.unblock or "write `# dfopt: ignore=strip-suid` above the line if they are meant"
            yield refused(self.name, "setuid programs stay in the image", node.start, node.end, refusal)
            return
        command = words(program, facts, "/", self.settings["keep"])
        price = price_of(program, facts, self.settings["keep"], family)
        if price is None:
            return
        message += f" ({price.text})" if price.text else ""
        benefit = price.benefit
        fix = appended(program, last, command) if last is not None else None
        if fix is None:
            index = (last.index if last is not None else stage.position) + 1
            edit, rewrites = insert_steps(program, index, ("RUN", " ".join(command)))
            fix = Fix((edit,), tuple(rewrites), "unsafe")
            if last is not None:
                message += "; in an extra layer, which stores those files a second time"
                benefit = benefit if benefit.bytes else price_by_table(None).benefit
        yield Finding(self.name, message, node.start, node.end, fix, benefit=benefit)
