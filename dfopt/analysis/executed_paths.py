"""Paths that a file runs: each of them is one file, or nothing that the file builds or starts would work."""

from __future__ import annotations

from dfopt.analysis.remote_scripts import SHELLS
from dfopt.ir.commands import TOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.syntax.tree import Instruction


def is_run(program: Program, step: Step, path: str) -> bool:
    """Whether the stage of `step` runs `path` for certain after it: a RUN does, or the image starts with it."""
    start: dict[str, Instruction] = {}
    for other in program.stages[step.stage].steps:
        node = other.node
        if node.keyword in ("CMD", "ENTRYPOINT"):
            start[node.keyword] = node
        elif node.keyword == "RUN" and other.index > step.index and program.body(other).program is not None:
            for invocation in program.commands(other).invocations:
                said = invocation.path == path or _script(invocation.program, tuple(invocation.values), path)
                if said and invocation.where == TOP and not invocation.nested:
                    return True
    first = start.get("ENTRYPOINT") or start.get("CMD")
    if first is None or first.form != "json":
        return False
    words = [argument.value for argument in first.arguments]
    return bool(words) and (words[0] == path or _script(words[0].rpartition("/")[2], tuple(words[1:]), path))


def _script(name: str | None, words: tuple[str | None, ...], path: str) -> bool:
    """Whether a command is a shell that runs the script `path`."""
    return name in SHELLS and bool(words) and words[0] == path
