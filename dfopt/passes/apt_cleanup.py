from __future__ import annotations

import re

from dfopt.ir.commands import MAYBE, SUBSTITUTION, commands
from dfopt.ir.effects import covers, manager, step_effects, subcommand
from dfopt.ir.rewrite import AppendCommand, RewriteError, check_append, errexit_throughout
from dfopt.passes._layout import append_edit
from dfopt.passes.base import Facts, Finding, Fix, Option, Pass
from dfopt.syntax.validate import mount_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.body import Body
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program, Stage, Step

LISTS = "/var/lib/apt/lists"
_CLEANUP = ("rm", "-rf", f"{LISTS}/*")


class AptCleanup(Pass):
    """Removes apt's package index in the layer that downloaded it.

    `apt-get update` leaves 20 to 50 MB under /var/lib/apt/lists. A later RUN cannot take them back: they stay in the
    layer. This pass appends `rm -rf /var/lib/apt/lists/*` to the RUN that refreshed the index, in that RUN's own style.

    Why: nothing at run time reads the index, and it is out of date within days.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: where a later step of this stage, or of a stage built FROM it, reads the index without refreshing it; a
    background job or a comment at the end; a heredoc script that is not under `set -e`; ONBUILD. Does nothing where the
    RUN cleans up in any spelling, or where a cache mount holds the index. Where a later step runs a script that cannot
    be seen into, the fix is `unsafe`.

    Declares: the RUN gains one command at its end.
    """

    name = "apt-cleanup"
    group = "size"
    codes = ("DL3009",)
    triggers = ("apt",)
    order = 30
    options = (
        Option("stages", "choice", "shipped", "only in stages that reach an image, or in all", ("shipped", "all")),
    )

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        shipped = program.shipped()
        for stage in program.stages:
            if self.settings["stages"] == "all" or stage.index in shipped:
                for position, step in enumerate(stage.steps):
                    finding = self.check(program, stage, position, step)
                    if finding is not None:
                        yield finding

    def check(self, program: Program, stage: Stage, position: int, step: Step) -> Finding | None:
        node = step.node
        if step.effective.keyword != "RUN" or "apt" not in node.joined.text + "".join(
            program.text[doc.start : doc.end] for doc in step.heredocs
        ):
            return None
        body = program.body(step)
        if body.program is None:
            if re.search(r"\bapt(-get|itude)?\s+(\S+\s+)*update\b", body.text) and LISTS not in body.text:
                return self.refuse(step, body.why)
            return None
        refresh = _last_refresh(body_commands := list(commands(body).invocations))
        if refresh is None or _cleans(body.text, body_commands, refresh) or _mounted(step):
            return None
        if node.keyword == "ONBUILD":
            return self.refuse(step, "what follows in the image built on this one is not known")
        if body.form == "mixed":
            return self.refuse(step, "the command line carries heredocs")
        later, opaque = _later_reader(program, stage, position)
        if later is not None:
            return self.refuse(step, f"line {later.node.line} needs the package index and does not refresh it")
        prefix = refresh.wrappers if refresh.wrappers in ((), ("sudo",)) else None
        if prefix is None or any(v not in (None, "-E", "-H", "-n") for v in _wrapper_options(refresh)):
            return self.refuse(
                step, f"apt runs under {' '.join(refresh.wrappers)}: how to delete as it does is unclear"
            )
        operator = ";" if body.form == "script" or _is_list_under_errexit(body) else "&&"
        words = (*prefix, *_CLEANUP)
        try:
            check_append(body, operator)
        except RewriteError as error:
            return self.refuse(step, str(error))
        edit = append_edit(program, step, body, " ".join(words), operator)
        rewrite = AppendCommand(step.index, words, operator)
        message = "delete apt's package index in the layer that downloaded it"
        tier = "safe"
        if opaque:
            tier = "unsafe"
            message += f" (line {opaque.node.line} runs what cannot be seen into, and might use the index)"
        return Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), tier))

    def refuse(self, step: Step, reason: str) -> Finding:
        message = "apt's package index stays in the layer"
        return Finding(self.name, message, step.node.start, step.node.end, None, reason)


def _last_refresh(found: list[Invocation]) -> Invocation | None:
    """The last command that downloads the index."""
    result = None
    for one in found:
        facts = manager(one.program)
        if facts is not None and facts["family"] == "apt" and one.where != SUBSTITUTION and not one.nested:
            name, _ = subcommand(one, facts)
            if name is not None and facts["commands"].get(name, {}).get("refreshes"):
                result = one
    return result


def _cleans(text: str, found: list[Invocation], refresh: Invocation) -> bool:
    """Whether the step already deletes the index behind the refresh, in any spelling."""
    tail = text[refresh.node.end :]
    if re.search(r"apt/lists|lib/apt(?=[\s/*;&|)}]|$)|/var/lib/\{[^}]*apt|/var/lib/apt\b(?!/)", tail):
        return any(word in tail for word in ("rm ", "find ", "rmdir", "truncate", "unlink", "mv "))
    for one in found:
        if one.node.start > refresh.node.start:
            facts = manager(one.program)
            if facts is not None and facts["family"] == "apt":
                name, _ = subcommand(one, facts)
                if name is not None and "index" in facts["commands"].get(name, {}).get("cleans", ()):
                    return True
            if one.program == "rm" and any(value in ("/var/lib/*", "/var/lib", "/var/*") for value in one.values):
                return True
    return False


def _mounted(step: Step) -> bool:
    """Whether a mount covers the index, so that it never reaches the layer."""
    for flag in step.effective.flags:
        if flag.name == "mount" and flag.value:
            for field in mount_fields(flag.value):
                key, _, value = field.partition("=")
                if key.lower() in ("target", "dst", "destination") and covers(value.rstrip("/") or "/", LISTS):
                    return True
    return False


def _later_reader(program: Program, stage: Stage, position: int) -> tuple[Step | None, Step | None]:
    """(the first later step that reads the index as this step leaves it, the first one that cannot be seen into)."""
    opaque: Step | None = None
    for step in stage.steps[position + 1 :]:
        for effect in step_effects(program, step):
            if effect.kind == "refreshes" and effect.path == "apt" and effect.where != MAYBE:
                return None, opaque
            if effect.kind == "reads-index" and effect.path == "apt":
                return step, opaque
            if effect.kind == "opaque":
                opaque = opaque or step
    for child in program.children(stage):
        later, unclear = _later_reader(program, child, -1)
        if later is not None:
            return later, opaque
        opaque = opaque or unclear
    return None, opaque


def _wrapper_options(found: Invocation) -> list[str | None]:
    words = [word.value for word in found.node.words]
    return words[1 : words.index(found.path)] if found.wrappers and found.path in words else []


def _is_list_under_errexit(body: Body) -> bool:
    assert body.program is not None
    return len(body.program.script.items) > 1 and errexit_throughout(body)
