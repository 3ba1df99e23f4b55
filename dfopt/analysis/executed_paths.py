"""Paths that a file runs: each of them is one file, or nothing that the file builds or starts would work."""

from __future__ import annotations

from dfopt.analysis.remote_scripts import SHELLS
from dfopt.ir.commands import TOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.tree import Instruction


def is_run(program: Program, step: Step, path: str) -> bool:
    """Whether the stage of `step` runs `path` for certain after it: a RUN does, or the image starts with it."""
    last, start = program.once(("paths run", step.stage), _runs, program, program.stages[step.stage])
    if last.get(path, -1) > step.index:
        return True
    first = start.get("ENTRYPOINT") or start.get("CMD")
    if first is None or first.form != "json":
        return False
    words = [argument.value for argument in first.arguments]
    return bool(words) and (words[0] == path or _script(words[0].rpartition("/")[2], tuple(words[1:]), path))


def _runs(program: Program, stage: Stage) -> tuple[dict[str, int], dict[str, Instruction]]:
    """The paths that RUNs of a stage run for certain -> the last such RUN; and what the image starts with."""
    last: dict[str, int] = {}
    start: dict[str, Instruction] = {}
    for step in stage.steps:
        node = step.node
        if node.keyword in ("CMD", "ENTRYPOINT"):
            start[node.keyword] = node
        elif node.keyword == "RUN" and program.body(step).program is not None:
            for invocation in program.commands(step).invocations:
                if invocation.where != TOP or invocation.nested:
                    continue
                if invocation.path is not None:
                    last[invocation.path] = step.index
                script = invocation.values[0] if invocation.program in SHELLS and invocation.values else None
                if script is not None:
                    last[script] = step.index
    return last, start


def _script(name: str | None, words: tuple[str | None, ...], path: str) -> bool:
    """Whether a command is a shell that runs the script `path`."""
    return name in SHELLS and bool(words) and words[0] == path
