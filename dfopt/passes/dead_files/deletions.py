"""An `rm` that comes too late: it runs at the end of the RUN that wrote what it deletes."""

from __future__ import annotations

from dfopt.editing.chain_edits import whole_step
from dfopt.editing.command_removal import removals
from dfopt.editing.layout import append_edit
from dfopt.findings import Finding, Fix
from dfopt.ir.effects import covers
from dfopt.refusal import Refusal
from dfopt.rewrites.append_checks import check_append
from dfopt.rewrites.bind_for_copy import DeleteEarlier, apart, first_rm
from dfopt.rewrites.commands import AppendCommand
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite


def late(name: str, program: Program, stage: Stage, run: Step) -> Iterator[Finding]:
    """An `rm` at the beginning of a RUN that belongs to an earlier one."""
    found = first_rm(program, run)
    before = [step for step in stage.steps if step.index < run.index and step.node.keyword == "RUN"]
    if found is None or not before or before[-1].index == run.index - 1:
        return  # behind a RUN: merge-run joins the two
    offset, words = found
    writer = before[-1]
    paths = [word.split("*")[0].rstrip("/") for word in words[2:]]
    made = [e for e in program.effects(writer) if e.kind == "creates" and any(covers(p, e.path) for p in paths)]
    if not made:
        return
    shown = made[0].path
    try:
        fix = earlier(program, writer, run, offset, words)
    except Refusal as error:
        message = f"{shown} is deleted, but stays in the layer of line {writer.node.line}"
        yield Finding(name, message, run.node.start, run.node.end, None, str(error))
        return
    yield Finding(name, f"delete {shown} in the layer that holds it", writer.node.start, run.node.end, fix)


def earlier(program: Program, writer: Step, run: Step, offset: int, words: tuple[str, ...]) -> Fix:
    """The fix that moves the `rm` to the end of the RUN that wrote what it deletes. Raises Refusal."""
    reason = apart(program, writer, run, words)
    body, own = program.body(writer), program.body(run)
    if reason or body.program is None or own.program is None or body.form not in ("line", "script"):
        raise Refusal(reason or body.why or "the earlier RUN carries heredocs")
    operator = ";" if body.form == "script" else "&&"
    check_append(body, operator)
    edits = [append_edit(program, writer, body, " ".join(words), operator)]
    rewrites: list[Rewrite] = [AppendCommand(writer.index, words, operator)]
    invocations = program.commands(run).invocations
    if len(invocations) == 1:
        if run.node.above or run.node.comments:
            raise Refusal("a comment speaks of the RUN")
        edits.append(whole_step(program.text, run))
        rewrites.append(RemoveStep(run.index))
    else:
        more, gone = removals(program, run, own, [invocations[0].node])
        edits += more
        rewrites += gone
    return Fix(tuple(edits), (*rewrites, DeleteEarlier(run.index, offset, writer.index)), "safe")
