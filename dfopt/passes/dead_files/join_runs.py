"""RUNs that write and delete the same files, with instructions between them that can be said in the shell."""

from __future__ import annotations

import itertools

from dfopt.analysis.joined_layers import joining_benefit
from dfopt.edit import Edit
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.layout import body_end, chain_style, line_end, line_start, newline_at
from dfopt.editing.run_joining import check_joinable, description, subshells
from dfopt.findings import Finding, Fix, refused
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


def join_runs(name: str, program: Program, stage: Stage) -> Iterator[Finding]:
    """The RUNs of a stage to be joined across what stands between them, the first of them. `name`: of the pass."""
    steps = {step.index: step for step in stage.steps}
    taken: list[range] = []
    for death in _deaths(program, stage):
        span = range(death.writer, death.killer + 1)
        runs = [steps[index] for index in span if index in steps and steps[index].node.keyword == "RUN"]
        if len(runs) == len(span) or any(span.start in other or span[-1] in other for other in taken):
            continue  # neighbours are merge-run's
        taken.append(span)
        start, end = runs[0].node.start, runs[-1].node.end
        try:
            fix = _fix(program, runs)
        except Refusal as refusal:
            message = f"lines {runs[0].node.line} and {runs[-1].node.line} stay apart, though {description(death)}"
            yield refused(name, message, start, end, refusal)
            continue
        message = f"join {len(runs)} RUN instructions: {description(death)}"
        yield Finding(name, message, start, end, fix, benefit=joining_benefit(program, runs))


def _deaths(program: Program, stage: Stage) -> list[Death]:
    """What one RUN of the stage writes, and a later one, not its neighbour, deletes; by the distance of the two."""
    if not killers().search(program.text, stage.node.start, stage.steps[-1].node.end if stage.steps else 0):
        return []
    layers = Layers()
    keywords = {step.index: step.node.keyword for step in stage.steps}
    deaths: list[Death] = []
    written: dict[int, set[str]] = {}
    for step in stage.steps:
        effects = program.effects(step)
        # an index or a cache is deleted where it is made, by the passes that know it: no reason to join
        written[step.index] = {
            effect.path
            for effect in effects
            if effect.kind == "creates"
            and effect.program not in _DIRECTORIES
            and (manager(effect.program) is None or not effect.path.startswith("/"))
        }
        for death in layers.feed(step.index, effects):
            package = not death.path.startswith("/")
            if (
                death.kind == "deleted"
                and keywords[death.writer] == keywords[step.index] == "RUN"
                and any(_is_of(death.path, path) for path in written[death.writer])
                and (package or death.program == "rm")
            ):
                deaths.append(death)
    return sorted(deaths, key=lambda death: (death.killer - death.writer, death.writer))


def _is_of(deleted: str, written: str) -> bool:
    """Whether a deletion takes what was written: all of it, or a part of a directory that is not the system's."""
    if deleted == written or not deleted.startswith("/"):
        return deleted == written
    of_system = written == "/" or written in table("base_paths")["present"]
    return covers(deleted, written) or (not of_system and covers(written, deleted))


def _fix(program: Program, runs: Sequence[Step]) -> Fix:
    """The fix that makes one RUN of several. Raises Refusal."""
    for run in runs:
        check_joinable(program, run, runs[0], last=run is runs[-1])
    wrapped = subshells(program, runs)
    glues = [glue(program, runs[0], left, right) for left, right in itertools.pairwise(runs)]
    dropped = must_go(program, runs)
    between = program.steps_between(runs[0], runs[-1])
    if any(_is_commented(step) for step in between if step.index in dropped):
        raise Refusal("a comment documents a WORKDIR that would go", "remove the comment, or the WORKDIR")
    if any(map(_is_commented, runs[1:])) and any(map(_is_commented, between)):
        raise Refusal("comments would change their order")
    rewrite = JoinAcross(tuple([run.index for run in runs]), wrapped, tuple(dropped))
    makes = any(words[0] == "mkdir" for words in itertools.chain(*glues))
    as_root = not makes or program.scope(runs[0]).root is True
    keeps_workdir = any(step.node.keyword == "WORKDIR" and step.index not in dropped for step in between)
    edits = _edits(program, runs, wrapped, glues, between, dropped)
    safe = as_root and (not keeps_workdir or _deletes_known(program, runs))
    return Fix(edits, (rewrite,), "safe" if safe else "unsafe")


def _is_commented(step: Step) -> bool:
    return bool(step.node.above or step.node.comments)


def _deletes_known(program: Program, runs: Sequence[Step]) -> bool:
    """Whether it is known what RUNs delete."""
    if any(effect.kind == "opaque" for run in runs for effect in program.effects(run)):
        return False
    rms = [rm for run in runs for rm in program.commands(run).invocations if rm.program == "rm"]
    return all(
        word.value is not None or any(getattr(part, "globs", False) for part in word.parts)
        for rm in rms
        for word in rm.operands()
    )


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
    first = program.body(runs[0])
    begin, first_end = first.span(0, 1)[0], body_end(first)
    edits: list[Edit] = []
    added = ""
    if wrapped[0]:
        edits.append(Edit(begin, begin, "( " if text[begin] == "(" else "("))
        added = ")"
    for run, words_between, in_subshell in zip(runs[1:], glues, wrapped[1:], strict=True):
        body = program.body(run)
        for words in words_between:
            added += lead + " ".join(words)
        part = text[body.span(0, 1)[0] : body_end(body)]
        if in_subshell:
            part = f"{'( ' if part[0] == '(' else '('}{part})"
        comments = _comments(text, run)  # they go with their RUN, as lines of the chain
        head, _, tail = lead.rpartition(newline)
        added += f"{head}{newline}{comments.replace(chr(10), newline)}{tail}{part}"
        edits.append(whole_step(text, run))
        if comments:
            edits.append(Edit(line_start(text, run.node.above[0].start), line_start(text, run.node.start), ""))
    edits += [whole_step(text, step) for step in between if step.index in dropped]
    edits.append(Edit(first_end, line_end(text, first_end), added))
    return tuple(_merged(sorted(edits, key=lambda edit: (edit.start, edit.end))))


def _comments(text: str, run: Step) -> str:
    """The lines of the comments above a RUN, each with a newline."""
    above = run.node.above
    return "".join([text[line_start(text, comment.start) : comment.end].rstrip() + "\n" for comment in above])


def _merged(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Deletions that meet become one."""
    previous: Edit | None = None
    for edit in edits:
        if previous is not None and not previous.text and not edit.text and previous.end >= edit.start:
            previous = Edit(previous.start, max(previous.end, edit.end), "")
            continue
        if previous is not None:
            yield previous
        previous = edit
    if previous is not None:
        yield previous
