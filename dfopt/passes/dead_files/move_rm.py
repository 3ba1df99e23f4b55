"""An `rm` that comes too late: it runs at the end of the RUN that wrote what it deletes."""

from __future__ import annotations

from dfopt.editing.chain_edits import whole_step
from dfopt.editing.command_removal import removals
from dfopt.editing.layout import append_edit
from dfopt.findings import Finding, Fix, refused
from dfopt.ir.effects import covers
from dfopt.refusal import Refusal
from dfopt.rewrites.append_checks import check_append
from dfopt.rewrites.bind_for_copy import DeleteEarlier, check_apart, first_rm
from dfopt.rewrites.commands import AppendCommand
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite


def move_rm_earlier(name: str, program: Program, stage: Stage, run: Step) -> Iterator[Finding]:
    """An `rm` at the beginning of a RUN that belongs to an earlier one. `name`: of the pass."""
    rm = first_rm(program, run)
    if rm is None:
        return
    before = reversed(stage.steps[: run.index - stage.position - 1])
    writer = next((step for step in before if step.node.keyword == "RUN"), None)
    if writer is None or writer.index == run.index - 1:
        return  # behind a RUN: merge-run joins the two
    offset, words = rm
    paths = [word.split("*")[0].rstrip("/") for word in words[2:]]
    written = [
        effect.path
        for effect in program.effects(writer)
        if effect.kind == "creates" and any(covers(path, effect.path) for path in paths)
    ]
    if not written:
        return
    try:
        fix = _fix(program, writer, run, offset, words)
    except Refusal as refusal:
        message = f"{written[0]} is deleted, but stays in the layer of line {writer.node.line}"
        yield refused(name, message, run.node.start, run.node.end, refusal)
        return
    message = f"delete {written[0]} in the layer that holds it"
    yield Finding(name, message, writer.node.start, run.node.end, fix)


def _fix(program: Program, writer: Step, run: Step, offset: int, words: tuple[str, ...]) -> Fix:
    """The fix that moves the `rm` to the end of the RUN that wrote what it deletes. Raises Refusal."""
    check_apart(program, writer, run, words)
    writing, deleting = program.body(writer), program.body(run)
    if writing.program is None or deleting.program is None or writing.form not in ("line", "script"):
        raise Refusal(writing.why or "the earlier RUN carries heredocs")
    operator = ";" if writing.form == "script" else "&&"
    check_append(writing, operator)
    edits = [append_edit(program, writer, writing, " ".join(words), operator)]
    rewrites: list[Rewrite] = [AppendCommand(writer.index, words, operator)]
    invocations = program.commands(run).invocations
    if len(invocations) == 1:
        if run.node.above or run.node.comments:
            raise Refusal("a comment documents the RUN", "remove the comment with the RUN")
        edits.append(whole_step(program.text, run))
        rewrites.append(RemoveStep(run.index))
    else:
        removal_edits, removals_ = removals(program, run, deleting, [invocations[0].node])
        edits += removal_edits
        rewrites += removals_
    return Fix(tuple(edits), (*rewrites, DeleteEarlier(run.index, offset, writer.index)), "safe")
