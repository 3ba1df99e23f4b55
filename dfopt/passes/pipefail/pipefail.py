from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.json_form import json_string, json_style
from dfopt.editing.keywords import instruction_above
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.passes.base import Pass
from dfopt.passes.pipefail.pipe_shell import stays_out, under_shell, with_pipefail
from dfopt.passes.pipefail.pipes import pipes
from dfopt.rewrites.instructions import InsertStep, SetValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite

_COMMANDS = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK"))


class Pipefail(Pass):
    """Lets a RUN fail where the left side of a pipe in it fails: sets SHELL with `-o pipefail` before it.

    Why: `curl ... | tar x` succeeds with half a download, or with none: the status of a pipeline is that of its last
    command alone.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /opt
    ```

    ```dockerfile
    FROM debian:13-slim
    SHELL ["/bin/bash", "-o", "pipefail", "-c"]
    RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /opt
    ```

    Refuses: a shell without pipefail, and a base image of which it is not known that it has bash (or busybox's ash); a
    command that closes the pipe early (`head`, `grep -q`, `yes`), since the one before it then dies of SIGPIPE; a
    command on the left whose failure is an answer (`grep`, `diff`, `xargs`); a pipe in a condition; a step under the
    new SHELL that bash reads otherwise (`echo` with escapes, `$RANDOM`) or that is not understood. Does nothing for
    pipes from `echo` and `printf`, and inside `$( )` but for `x=$(a | b)`.

    Declares: a SHELL instruction comes, or gets two words more. `unsafe`: steps that succeeded may fail, and the SHELL
    also runs the steps behind it, a CMD in shell form, and images built on this one.
    """

    name = "pipefail"
    group = "correct"
    tiers = ("unsafe",)
    phase = "runtime"
    codes = ("DL4006",)
    triggers = ("|",)
    order = 64
    declares = Declares(settings=("Shell", "Cmd", "Entrypoint"))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                if node.keyword == "RUN" and _bar(program, step) and pipes(program.body(step)):
                    yield self.check(program, stage, step, facts)
                    break

    def check(self, program: Program, stage: Stage, step: Step, facts: Facts) -> Finding:
        node = step.node
        message = "SHELL with pipefail: a pipe hides a failure of its left side"
        argv = with_pipefail(program, step, facts)
        if isinstance(argv, str):
            return Finding(self.name, message, node.start, node.end, None, argv)
        setter = next(
            (one for one in reversed(stage.steps) if one.index < step.index and one.node.keyword == "SHELL"), None
        )
        first = setter.index + 1 if setter is not None else step.index
        to_bash = argv[0].endswith("bash") and program.body(step).shell.kind != "bash"
        touched: list[Step] = []
        for one in under_shell(program, stage, first):
            reason = stays_out(program, one, to_bash=to_bash) if one.node.keyword == "RUN" else ""
            if reason:
                return Finding(self.name, message, node.start, node.end, None, f"line {one.node.line}: {reason}")
            if one.node.keyword in _COMMANDS and one.node.form == "shell":
                touched.append(one)
        if touched:
            names = " and ".join(dict.fromkeys(one.node.keyword for one in touched))
            message += f" (the shell form of {names} goes under it too)"
        edit, rewrite = _edit(program, step, setter, argv)
        return Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), "unsafe"))


def _bar(program: Program, step: Step) -> bool:
    return "|" in program.text[step.node.start : step.node.end].replace("||", "")


def _edit(program: Program, step: Step, setter: Step | None, argv: tuple[str, ...]) -> tuple[Edit, Rewrite]:
    style = json_style(program)
    strings = [json_string(word) or "" for word in argv]
    if setter is not None:
        old = setter.node.arguments
        at = next(i for i in range(len(argv)) if argv[i : i + 2] == ("-o", "pipefail") and old[i].value != "-o")
        start = setter.node.joined.span(old[at].at, old[at].stop)[0]
        edit = Edit(start, start, "".join([f"{string},{style.gap}" for string in strings[at : at + 2]]))
        return edit, SetValue(setter.index, "SHELL", ("json", "", argv))
    array = f"[{style.edge}{f',{style.gap}'.join(strings)}{style.edge}]"
    edit = instruction_above(program.text, step.node, "SHELL", array)
    return edit, InsertStep(step.index, "SHELL", (), ("json", "", argv))
