"""A shell with pipefail in place of the one a step has, and what goes under it."""

from __future__ import annotations

from dfopt.analysis.inferred_base import distribution
from dfopt.passes.pipefail.pipes import answers, breaks_early, decides, differs_in_bash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


def with_pipefail(program: Program, step: Step, facts: Facts) -> tuple[str, ...] | str:
    """The argv of a shell with pipefail in place of the step's; or why there is none."""
    scope = program.scope(step)
    kind = program.body(step).shell.kind
    if scope.shell_set and scope.shell is not None:
        ash = scope.base is not None and scope.base.sh == "busybox"
        if kind not in ("bash", "ash", "zsh", "ksh") or (kind == "ash" and not ash):
            return f"{scope.shell[0]} is not known to have pipefail"
        at = next(i for i, word in enumerate(scope.shell) if i and word.startswith("-") and "c" in word.lstrip("-"))
        return (*scope.shell[:at], "-o", "pipefail", *scope.shell[at:])
    family = scope.base.family if scope.base is not None else distribution(program, program.stages[step.stage], facts)
    if scope.base is None and family in ("debian", "rhel", "suse", "arch"):
        return ("/bin/bash", "-o", "pipefail", "-c")
    if scope.base is None and family == "alpine":
        return ("/bin/ash", "-o", "pipefail", "-c")
    if scope.base is None:
        return "whether the base image has bash is not known"
    if scope.base.bash:
        return ("/bin/bash", "-o", "pipefail", "-c")
    if scope.base.family in ("alpine", "busybox"):
        return ("/bin/ash", "-o", "pipefail", "-c")
    return "the base image is not known to have a shell with pipefail"


def under_shell(program: Program, stage: Stage, first: int) -> Iterator[Step]:
    """The steps that run under a SHELL set before instruction `first` of the stage, also in stages built on it."""
    for step in stage.steps:
        if step.index >= first:
            if step.node.keyword == "SHELL":
                return
            yield step
    for child in program.children(stage):
        yield from under_shell(program, child, 0)


def stays_out(program: Program, step: Step, *, to_bash: bool) -> str:
    """Why a RUN cannot go under the new shell."""
    if step.node.form == "json":
        return ""
    body = program.body(step)
    if body.form == "script" and body.text.startswith("#!"):
        return ""
    if body.program is None:
        return body.why
    early = breaks_early(body)
    if early and "pipefail" not in body.shell.options:
        return f"{early} may end the command before it by SIGPIPE"
    answer = answers(body)
    if answer and "pipefail" not in body.shell.options:
        return f"{answer} stands on the left of a pipe, where its failure is an answer and no error"
    if decides(body) and "pipefail" not in body.shell.options:
        return "the status of a pipe decides there what else runs"
    other = differs_in_bash(body) if to_bash else ""
    return f"bash reads this otherwise: {other}" if other else ""
