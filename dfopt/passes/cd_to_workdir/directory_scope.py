"""The `cd` that a RUN begins with, and who sees the directory that is in force."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.syntax.mounts import mounts
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_PATH = regex(r"/[\w./+@%:,-]*\Z")


def cd_directory(program: Program, step: Step) -> str | None:
    """The directory of the `cd` that a RUN begins with: fixed, absolute, and a word to WORKDIR as it is."""
    if step.node.form != "shell" or not step.node.body.startswith("cd"):
        return None
    body = program.body(step)
    if body.program is None or not body.program.script.items:
        return None
    first = body.program.script.items[0].command
    if isinstance(first, AndOr):
        first = first.items[0]
    if not isinstance(first, SimpleCommand) or first.assignments or first.redirects or len(first.words) != 2:
        return None
    name, directory = first.words[0].value, first.words[1].value
    if directory != body.text[first.words[1].start : first.words[1].end]:
        return None  # quoted
    return directory if name == "cd" and directory is not None and _PATH.match(directory) else None


def relative_mount(step: Step) -> bool:
    """Whether the target of a mount counts from the working directory."""
    return any(mount.target and not mount.target.startswith("/") for mount in mounts(step.node))


def check_unseen(program: Program, stage: Stage, first: int, *, at_the_end: bool = True) -> None:
    """Raises Refusal where a step works in the directory that is in force at step `first` of the stage, or, with
    `at_the_end`, where the image starts in it."""
    for step in stage.steps[first:]:
        node = step.node
        use = Refusal(
            f"line {node.line} works in the directory that is in force",
            f"put an absolute WORKDIR in front of line {node.line}",
        )
        if node.keyword == "WORKDIR":
            if node.arguments[0].value.lstrip("\"'").startswith("/"):
                return
            raise use.copy()
        if node.keyword in ("COPY", "ADD"):
            target = program.scope(step).expand(node.arguments[-1].value, program.dockerfile.escape)
            if not isinstance(target, str) or not target.startswith("/"):
                raise use.copy()
        elif node.keyword == "ONBUILD" or (node.keyword == "RUN" and cd_directory(program, step) is None):
            raise use.copy()
    if at_the_end and stage.index in program.shipped():
        raise Refusal(
            "the image starts in the directory that is in force at its end", "end the stage with an absolute WORKDIR"
        )
    for child in program.children(stage):
        check_unseen(program, child, 0, at_the_end=at_the_end)
