"""The gate: translation validation of edited text against declared rewrites.

`admit` parses the edited text from nothing, lowers it, and compares it with what the rewrites declare of the original.
Nothing that a pass computed is trusted for the edited side; all that both sides share is the cache of parsed shell
texts, which is a function of each text alone. What the gate does not accept is never written.
"""

from __future__ import annotations

from collections import Counter

from dfopt.edit import OverlapError, apply_edits
from dfopt.ir.model import item, term, without_offsets
from dfopt.ir.program import Program
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.base import expected
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.edit import Edit
    from dfopt.findings import Fix
    from dfopt.rewrites.base import Rewrite, RewrittenModel


class GateVerdict(Record):
    """`program` is the edited file's, where the gate let it pass; else `reason` says what it met."""

    program: Program | None
    reason: str


def admit(program: Program, fixes: Sequence[Fix]) -> GateVerdict:
    """Whether the edits of all `fixes` together do exactly what their rewrites declare."""
    edits: list[Edit] = [edit for fix in fixes for edit in fix.edits]
    rewrites: list[Rewrite] = [rewrite for fix in fixes for rewrite in fix.rewrites]
    try:
        text = apply_edits(program.text, edits)
        outcome = expected(program, rewrites)
    except (OverlapError, Refusal) as error:
        return GateVerdict(None, str(error))
    try:
        edited = Program(parse(text), program.work)
    except DockerfileError as error:
        return GateVerdict(None, f"the result would not parse: {error.message}")
    reason = compare(program, edited, outcome)
    for rewrite in rewrites:
        if not reason:
            reason = rewrite.check(program, edited)
    return GateVerdict(None, reason) if reason else GateVerdict(edited, "")


def compare(program: Program, edited: Program, outcome: RewrittenModel) -> str:
    """What differs between the edited file and the declared outcome; "" where nothing does."""
    found = edited.dockerfile.instructions
    directives = tuple(sorted((d.name, d.value) for d in edited.dockerfile.directives))
    if directives != outcome.directives:
        return "the parser directives are not the declared ones"
    if edited.dockerfile.escape != dict(outcome.directives).get("escape", "\\"):
        return "the escape character changed"
    if len(found) != len(outcome.steps):
        return f"the result has {len(found)} instructions, declared are {len(outcome.steps)}"
    steps = {step.index: step for stage in edited.stages for step in stage.steps}
    original = program.dockerfile.instructions
    for index, (node, wanted) in enumerate(zip(found, outcome.steps, strict=True)):
        made = item(index, node, edited.text)
        where = f"line {node.line}"
        if made.keyword != wanted.item.keyword or made.flags != wanted.item.flags:
            return f"{where}: {made.keyword} with its flags is not the declared instruction"
        if wanted.shell is None:
            if made.value != wanted.item.value:
                return f"{where}: the arguments of {made.keyword} are not the declared ones"
            if wanted.item.index >= 0 and wanted.item.index not in outcome.touched:
                before = original[wanted.item.index]
                if program.text[before.start : before.end] != edited.text[node.start : node.end]:
                    return f"{where}: bytes of an instruction that no rewrite names changed"
            continue
        body = edited.body(steps[index]) if index in steps else None
        if body is None or body.program is None:
            return f"{where}: the rewritten RUN is not understood: {body.why if body else 'no RUN of a stage'}"
        if without_offsets(term(body.program.script, body.text)) != without_offsets(wanted.shell):
            return f"{where}: the rewritten RUN does not say what was declared"
    return _comments(program, edited, outcome)


def _comments(program: Program, edited: Program, outcome: RewrittenModel) -> str:
    """Comments may move with their instruction, but none may be lost, changed or invented undeclared."""
    wanted = Counter([program.text[c.start : c.end].rstrip() for c in program.dockerfile.comments])
    for gone in outcome.comments_removed:
        if not wanted[gone]:
            return "a comment that was declared removed never was"
        wanted[gone] -= 1
    wanted.update(outcome.comments_added)
    found = Counter([edited.text[c.start : c.end].rstrip() for c in edited.dockerfile.comments])
    if wanted != found:
        lost = next((comment for comment in wanted.elements() if comment not in found), None)
        return f"a comment was lost: {lost}" if lost is not None else "a line became a comment, or a comment doubled"
    return ""
