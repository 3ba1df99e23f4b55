"""RUNs that write and delete the same files, with instructions between them that can be said in the shell."""

from __future__ import annotations

import itertools

from dfopt.edit import Edit
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.layout import body_end, chain_style, line_end, line_start, newline_at
from dfopt.editing.run_joining import check_joinable, subshells, why
from dfopt.findings import Finding, Fix
from dfopt.ir.effects import covers, killers, manager
from dfopt.ir.liveness import Layers
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.rewrites.join_across import JoinAcross, glue, must_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.ir.liveness import Death
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_DIRECTORIES = frozenset(("mkdir", "touch", "install", "ln"))


def across(name: str, program: Program, stage: Stage) -> Iterator[Finding]:
    """The RUNs of a stage to be joined across what stands between them, the first of them. `name`: of the pass."""
    steps = {step.index: step for step in stage.steps}
    done: list[range] = []
    for death in _deaths(program, stage):
        runs = [steps[i] for i in range(death.writer, death.killer + 1) if i in steps]
        runs = [step for step in runs if step.node.keyword == "RUN"]
        span = range(death.writer, death.killer + 1)
        if len(runs) == len(span) or any(span.start in one or span[-1] in one for one in done):
            continue  # neighbours are merge-run's
        done.append(span)
        start, end = runs[0].node.start, runs[-1].node.end
        try:
            fix = _joined(program, runs)
        except Refusal as error:
            message = f"lines {runs[0].node.line} and {runs[-1].node.line} stay apart, though {why(death)}"
            yield Finding(name, message, start, end, None, str(error))
            continue
        yield Finding(name, f"join {len(runs)} RUN instructions: {why(death)}", start, end, fix)


def _deaths(program: Program, stage: Stage) -> list[Death]:
    """What one RUN of the stage brings, and a later one, not its neighbour, deletes; by the distance of the two."""
    if not killers().search(program.text, stage.node.start, stage.steps[-1].node.end if stage.steps else 0):
        return []
    layers = Layers()
    keywords = {step.index: step.node.keyword for step in stage.steps}
    found: list[Death] = []
    brought: dict[int, set[str]] = {}
    for step in stage.steps:
        effects = program.effects(step)
        # an index or a cache is deleted where it is made, by the passes that know it: no reason to join
        brought[step.index] = {
            one.path
            for one in effects
            if one.kind == "creates"
            and one.program not in _DIRECTORIES
            and (manager(one.program) is None or not one.path.startswith("/"))
        }
        for death in layers.feed(step.index, effects):
            package = not death.path.startswith("/")
            if (
                death.kind == "deleted"
                and keywords[death.writer] == keywords[step.index] == "RUN"
                and any(_is_of(death.path, path) for path in brought[death.writer])
                and (package or death.program == "rm")
            ):
                found.append(death)
    return sorted(found, key=lambda one: (one.killer - one.writer, one.writer))


def _is_of(deleted: str, written: str) -> bool:
    """Whether a deletion takes what was written: all of it, or a part of a directory that is not the system's."""
    if deleted == written or not deleted.startswith("/"):
        return deleted == written
    own = written != "/" and written not in table("base_paths")["present"]
    return covers(deleted, written) or (own and covers(written, deleted))


def _joined(program: Program, runs: Sequence[Step]) -> Fix:
    """The fix that makes one RUN of several. Raises Refusal."""
    for run in runs:
        check_joinable(program, run, runs[0], last=run is runs[-1])
    wrapped = subshells(program, runs)
    glues = [glue(program, runs[0], one, other) for one, other in itertools.pairwise(runs)]
    dropped = must_go(program, runs)
    between = program.between(runs[0], runs[-1])
    if any(step.node.above or step.node.comments for step in between if step.index in dropped):
        raise Refusal("a comment speaks of a WORKDIR that would go")
    own = any(run.node.above or run.node.comments for run in runs[1:])
    if own and any(step.node.above or step.node.comments for step in between):
        raise Refusal("comments would change their order")
    rewrite = JoinAcross(tuple([run.index for run in runs]), wrapped, tuple(dropped))
    effects = [effect for run in runs for effect in program.effects(run)]
    rms = [one for run in runs for one in program.commands(run).invocations if one.program == "rm"]
    sure = all(effect.kind != "opaque" for effect in effects) and all(
        word.value is not None or any(getattr(part, "globs", False) for part in word.parts)
        for one in rms
        for word in one.operands()
    )
    makes = any(words[0] == "mkdir" for words in itertools.chain(*glues))
    seen = not makes or program.scope(runs[0]).root is True
    kept = any(step.node.keyword == "WORKDIR" and step.index not in dropped for step in between)
    edits = _edits(program, runs, wrapped, glues, between, dropped)
    return Fix(edits, (rewrite,), "safe" if seen and (sure or not kept) else "unsafe")


def _edits(
    program: Program,
    runs: Sequence[Step],
    wrapped: Sequence[bool],
    glues: Sequence[Sequence[tuple[str, ...]]],
    between: Sequence[Step],
    dropped: Sequence[int],
) -> tuple[Edit, ...]:
    """The text of the later RUNs comes behind that of the first, each part on a line of its own."""
    text, escape = program.text, program.dockerfile.escape
    style = chain_style(program, max(runs, key=lambda run: run.node.last - run.node.line))
    newline = newline_at(text, runs[0].node.start)
    lead = f" {escape}{newline}{style.indent}&&{style.gap}" if style.leading else f" && {escape}{newline}{style.indent}"
    edits: list[Edit] = []
    added = ""
    for position, run in enumerate(runs):
        body = program.body(run)
        begin, end = body.span(0, 1)[0], body_end(body)
        if position == 0:
            if wrapped[0]:
                edits.append(Edit(begin, begin, "( " if text[begin] == "(" else "("))
                added = ")"
            first_end = end
            continue
        for words in glues[position - 1]:
            added += lead + " ".join(words)
        part = text[begin:end]
        if wrapped[position]:
            part = f"{'( ' if part[0] == '(' else '('}{part})"
        said = _comments(text, run)  # they go with their RUN, as lines of the chain
        head, _, tail = lead.rpartition(newline)
        added += f"{head}{newline}{said.replace(chr(10), newline)}{tail}{part}"
        edits.append(whole_step(text, run))
        if said:
            edits.append(Edit(line_start(text, run.node.above[0].start), line_start(text, run.node.start), ""))
    edits += [whole_step(text, step) for step in between if step.index in dropped]
    edits.append(Edit(first_end, line_end(text, first_end), added))
    return tuple(_apart(sorted(edits, key=lambda one: (one.start, one.end))))


def _comments(text: str, run: Step) -> str:
    """The lines of the comments above a RUN, each with a newline."""
    return "".join([text[line_start(text, one.start) : one.end].rstrip() + "\n" for one in run.node.above])


def _apart(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Deletions that meet become one."""
    kept: Edit | None = None
    for edit in edits:
        if kept is not None and not kept.text and not edit.text and kept.end >= edit.start:
            kept = Edit(kept.start, max(kept.end, edit.end), "")
            continue
        if kept is not None:
            yield kept
        kept = edit
    if kept is not None:
        yield kept
