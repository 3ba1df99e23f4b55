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
    """Whether the stage of `step` runs `path` for certain behind it: a RUN does, or the image starts with it."""
    start: dict[str, Instruction] = {}
    for one in program.stages[step.stage].steps:
        node = one.node
        if node.keyword in ("CMD", "ENTRYPOINT"):
            start[node.keyword] = node
        elif node.keyword == "RUN" and one.index > step.index and program.body(one).program is not None:
            for found in program.commands(one).invocations:
                said = found.path == path or _script(found.program, tuple(found.values), path)
                if said and found.where == TOP and not found.nested:
                    return True
    first = start.get("ENTRYPOINT") or start.get("CMD")
    if first is None or first.form != "json":
        return False
    words = [argument.value for argument in first.arguments]
    return bool(words) and (words[0] == path or _script(words[0].rpartition("/")[2], tuple(words[1:]), path))


def _script(name: str | None, words: tuple[str | None, ...], path: str) -> bool:
    """Whether a command is a shell that runs the script `path`."""
    return name in SHELLS and bool(words) and words[0] == path
