from __future__ import annotations

import re

from dfopt.ir.body import shell_kind
from dfopt.ir.liveness import chain
from dfopt.ir.rewrite import AppendCommand, RewriteError, check_append
from dfopt.ir.status import errexit_throughout
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes._insert import insertion
from dfopt.passes._layout import append_edit
from dfopt.passes._started import UNCLEAR, command_elsewhere, started
from dfopt.passes._suid import brings, copies_programs, has_find, needed, sets, strips
from dfopt.passes._users import base_users
from dfopt.passes.base import Declares, Facts, Finding, Fix, Option, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program, Stage, Step

_NAME = regex(r"[\w.+-]+\Z")


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

    Refuses: a base image that may have no find; steps that install as another user than root; files that set such a bit
    themselves; packages that fail without it (postfix, fuse, chromium's sandbox); ONBUILD. Does nothing where the file
    looks for such programs itself, where nothing brings any (Alpine, busybox), or without a shell.

    Declares: a RUN gains one command at its end, or a RUN with that command comes in. `unsafe`: modes change.
    """

    name = "strip-suid"
    group = "security"
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
        steps = chain(program, stage)
        if any(strips(program, step) for step in steps):
            return
        if scope.base is not None and scope.base.sh == "none" and not scope.shell_set:
            yield from self.copied(program, stage, facts)
        else:
            yield from self.shipped(program, stage, facts)

    def shipped(self, program: Program, stage: Stage, facts: Facts) -> Iterator[Finding]:
        """The finding of an image that has a shell."""
        family = _family(program, stage)
        last = next((step for step in reversed(stage.steps) if brings(program, step)), None)
        while last is None and stage.parent is not None and _alone(program, stage):
            stage = program.stages[stage.parent]
            last = next((step for step in reversed(stage.steps) if brings(program, step)), None)
        own = table("suid")["base"].get(family or "", {})
        parents = chain(program, stage)[: -len(stage.steps)] if stage.steps else chain(program, stage)
        if last is None and own.get("files") == 0 and not any(brings(program, step) for step in parents):
            return
        node = last.node if last is not None else stage.node
        message = "take the setuid bits from " + (
            "what is installed" if last is not None else "the programs that the stage is built on"
        )
        reason = UNCLEAR if command_elsewhere(program, program.stages[-1]) else ""
        reason = reason or self.obstacle(program, stage, last, facts)
        if reason:
            yield Finding(self.name, "setuid programs stay in the image", node.start, node.end, None, reason)
            return
        words = self.words(program, facts, "/")
        if own.get("files"):
            message += f" (the base's {own['files']} files are stored again: about {own['bytes'] / 1e6:.1f} MB)"
        fix = _appended(program, last, words) if last is not None else None
        if fix is None:
            index = (last.index if last is not None else stage.position) + 1
            edit, rewrites = insertion(program, index, ("RUN", " ".join(words)))
            fix = Fix((edit,), tuple(rewrites), "unsafe")
            if last is not None and last.node.keyword == "RUN":
                message += "; in a layer of its own, which stores such files again"
        yield Finding(self.name, message, node.start, node.end, fix)

    def copied(self, program: Program, stage: Stage, facts: Facts) -> Iterator[Finding]:
        """The findings of an image without a shell: one for each stage whose directories of programs it takes."""
        for step in chain(program, stage):
            flag = step.node.flag("from") if step.node.keyword == "COPY" else None
            if flag is None or not flag.value or not copies_programs(program, step):
                continue
            index = program.stage_named(flag.value, step.stage)
            if index is None:
                continue
            source = program.stages[index]
            if any(strips(program, one) for one in chain(program, source)):
                continue
            start, end = step.node.start, step.node.end
            path = step.node.arguments[0].value
            reason = self.obstacle(program, source, None, facts)
            if not reason and (len(step.node.arguments) != 2 or not re.fullmatch(r"/[\w./-]*", path)):
                reason = "several sources, or one that is not plainly written"
            if not reason and program.end_scope(source).user is not None and program.end_scope(source).root is not True:
                reason = f"stage {flag.value} ends as another user than root"
            if reason:
                yield Finding(self.name, "what is copied may have setuid bits", start, end, None, reason)
                continue
            words = self.words(program, facts, path)
            behind = source.position + 1 + len(source.steps)
            edit, rewrites = insertion(program, behind, ("RUN", " ".join(words)))
            message = f"take the setuid bits from what stage {flag.value} gives to the image"
            yield Finding(self.name, message, start, end, Fix((edit,), tuple(rewrites), "unsafe"))

    def obstacle(self, program: Program, stage: Stage, last: Step | None, facts: Facts) -> str:
        """Why no find may be put behind `last` (the beginning of the stage where None)."""
        scope = program.scope(last) if last is not None else program.end_scope(stage)
        if last is not None:
            root = scope.root if scope.user is not None else self.base_root(program, stage, facts)
        else:
            before = program.end_scope(program.stages[stage.parent]) if stage.parent is not None else None
            said = before is not None and before.user is not None
            root = before.root if before is not None and said else self.base_root(program, stage, facts)
        if root is None:
            return f"whether {scope.image or 'the base image'} runs as root is not known"
        if root is False:
            return "the step that would do it runs as another user than root"
        for step in chain(program, stage):
            if step.node.keyword == "ONBUILD":
                return f"line {step.node.line}: steps of ONBUILD come behind it"
            if sets(program, step):
                return f"line {step.node.line} sets such a bit itself"
        if not has_find(program, stage):
            return f"whether {scope.image or 'the base image'} has find is not known"
        first = program.scope(stage.steps[0]) if stage.steps else scope
        if not shell_kind(scope if last is not None else first, program.dockerfile.escape).posix:
            return "the shell is not known to read POSIX syntax"
        return needed(program, program.stages[-1]) or needed(program, stage)

    def base_root(self, program: Program, stage: Stage, facts: Facts) -> bool | None:
        scope = program.end_scope(stage)
        facts_of = scope.base
        family = facts_of.family if facts_of is not None else None
        return base_users(scope.image, family, facts_of.user if facts_of is not None else None, facts).root

    def words(self, program: Program, facts: Facts, path: str) -> tuple[str, ...]:
        """The command."""
        keep = [name for name in self.settings["keep"] if _NAME.match(name)]
        final = program.stages[-1]
        scope = program.end_scope(final)
        root = scope.root if scope.user is not None else self.base_root(program, final, facts)
        if root is not True:
            named = {name for run in started(program, final, facts).runs for name in run.names}
            keep += [name for name in table("suid")["programs"] if name in named]
        kept = [part for name in sorted(set(keep)) for part in ("!", "-name", name)]
        return ("find", path, "-xdev", "-perm", "/6000", "-type", "f", *kept, "-exec", "chmod", "a-s", "{}", "+")


def _family(program: Program, stage: Stage) -> str | None:
    base = program.end_scope(stage).base
    return base.family if base is not None else None


def _alone(program: Program, stage: Stage) -> bool:
    """Whether the stage that this one builds on serves nothing else."""
    parent = stage.parent
    if parent is None or len(program.children(program.stages[parent])) != 1:
        return False
    return all(parent not in program.copies_from(other) for other in program.stages)


def _appended(program: Program, step: Step, words: tuple[str, ...]) -> Fix | None:
    """The fix that puts the command at the end of a RUN; None where that would change what the RUN does."""
    if step.node.keyword != "RUN":
        return None
    body = program.body(step)
    if body.program is None or body.form not in ("line", "script"):
        return None
    listed = body.form == "script" or (len(body.program.script.items) > 1 and errexit_throughout(body))
    operator = ";" if listed else "&&"
    try:
        check_append(body, operator)
    except RewriteError:
        return None
    edit = append_edit(program, step, body, " ".join(words), operator)
    return Fix((edit,), (AppendCommand(step.index, words, operator),), "unsafe")
