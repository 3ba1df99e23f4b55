"""RUNs as parts of one: what keeps them from that, which of them need a subshell, and the edits that join them."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import is_pragma
from dfopt.editing.layout import body_end, chain_style, line_end, line_start, newline_at
from dfopt.ir.command_paths import stale_path
from dfopt.refusal import Refusal
from dfopt.rewrites.join_checks import check_part, same_options
from dfopt.rewrites.merge_listed import BARE, OFF, check_listed, element_form
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.ir.liveness import Death
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


def adjacent_runs(stage: Stage) -> Iterator[list[Step]]:
    """Runs of neighbouring RUN instructions, two or more."""
    group: list[Step] = []
    for step in (*stage.steps, None):
        if step is not None and step.node.keyword == "RUN":
            group.append(step)
            continue
        if len(group) > 1:
            yield group
        group = []


def description(death: Death) -> str:
    """Why the two steps of a death should be one, for a message."""
    family, colon, package = death.path.partition(":")
    if colon and "/" not in family:
        return f"{package} is removed in a later layer than it is installed"
    if death.kind == "deleted":
        return f"{death.path} is deleted in a later layer than it is written"
    return f"{death.path} is written again by {death.program} in a later layer"


def check_joinable(program: Program, step: Step, opening: Step, *, last: bool) -> None:
    """Raises Refusal unless a step can be a part of the chain that begins with the step `opening`, as its last part or
    with others after it."""
    first = step is opening
    check_layout(program, step, opening)
    check_part(program, step, first=first, last=last, wrapped=needs_subshell(program, step, first=first, last=last))


def check_layout(program: Program, step: Step, opening: Step) -> None:
    """Raises Refusal where a step's form, flags or comments keep it from being a part of the RUN `opening`."""
    node = step.node
    body = program.body(step)
    if node.doubt:
        raise Refusal(node.doubt)
    if body.form != "line" or body.program is None:
        raise Refusal("heredocs are never merged" if step.heredocs else body.why)
    if [(f.name, f.value) for f in node.flags] != [(f.name, f.value) for f in opening.node.flags]:
        raise Refusal("the flags differ", "give the RUNs the same flags")
    if any(mount.kind == "tmpfs" for mount in mounts(node)):
        raise Refusal("a tmpfs mount is empty at the beginning of each step")
    if step is not opening:
        if any(is_pragma(program.text, comment) for comment in node.above):
            raise Refusal(
                "a comment above it is meant for this instruction alone",
                f"put the comment above line {opening.node.line}, where it holds for the joined RUN",
            )
        head = node.joined.span(node.at, node.at + 1)[0]
        if any(node.start < comment.start < head for comment in node.comments):
            raise Refusal("a comment stands between RUN and its command", "put the comment above the RUN")


def needs_subshell(program: Program, step: Step, *, first: bool, last: bool) -> bool:
    """Whether a part must run in a subshell: its state would leak, or its list would mask what came before."""
    body = program.body(step)
    if body.program is None:
        return False
    state = program.shell_state(step)
    if state.state and not last:
        return True
    if not first and state.errexit and "e" not in body.shell.options:
        return True
    return state.lists and (not first or body.program.script.items[-1].terminator != "")


def subshells(program: Program, steps: Sequence[Step]) -> tuple[bool, ...]:
    """Which of RUNs that become one chain must run in a subshell."""
    end = len(steps) - 1
    if same_options(program, steps):
        return tuple([bool(stale_path(program, steps, position)) for position in range(end + 1)])
    return tuple(
        [
            needs_subshell(program, step, first=position == 0, last=position == end)
            or bool(stale_path(program, steps, position))
            for position, step in enumerate(steps)
        ]
    )


def check_list(program: Program, steps: Sequence[Step]) -> None:
    """Raises Refusal unless steps, one of them under `set -e`, can be a list of subshells under `set -e`."""
    if not any(program.body(step).program is not None and program.shell_state(step).errexit for step in steps[:-1]):
        raise Refusal("no part is under `set -e`")
    for step in steps:
        check_layout(program, step, steps[0])
        check_listed(program, step, first=step is steps[0], last=step is steps[-1])


def merge_edits(program: Program, steps: list[Step], wrapped: tuple[bool, ...], *, listed: bool = False) -> list[Edit]:
    """The edits that make one RUN of consecutive ones, in the style of the longest; `wrapped`: part i runs in ( ).
    `listed`: not a chain, but a list under `set -e`, in which every part is wrapped."""
    text = program.text
    escape = program.dockerfile.escape
    style = chain_style(program, max(steps, key=lambda step: step.node.last - step.node.line))
    edits: list[Edit] = []
    for position, step in enumerate(steps):
        body = program.body(step)
        begin, end = body.span(0, 1)[0], body_end(body)
        form = element_form(program, step, last=step is steps[-1]) if listed else ""
        inside = form != BARE if listed else wrapped[position]
        close = ")" if inside else ""
        opening = "" if not inside else "( " if text[begin] == "(" else "("
        if form == OFF:
            opening = "(set +e; "
        if listed and not position:
            opening = f"set -e; {escape}{newline_at(text, begin)}{style.indent}{opening}"
        if position:
            lead = f"{style.indent}&&{style.gap}" if style.leading and not listed else style.indent
            edits.append(Edit(line_start(text, step.node.start), begin, lead + opening))
        elif opening:
            edits.append(Edit(begin, begin, opening))
        if position == len(steps) - 1:
            if close:
                edits.append(Edit(end, end, close))
            continue
        joint = f"; {escape}" if listed else f" {escape}" if style.leading else f" && {escape}"
        edits.append(Edit(end, line_end(text, end), close + joint))
        at = text.find("\n", end) + 1
        stop = line_start(text, steps[position + 1].node.start)
        while at < stop:  # blank lines inside a continuation are deprecated
            after = text.find("\n", at) + 1
            if not text[at:after].strip():
                edits.append(Edit(at, after, ""))
            at = after
    return _joined(edits)


def _joined(edits: list[Edit]) -> list[Edit]:
    """Neighbouring deletions and replacements that meet become one edit."""
    result: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if result and result[-1].end == edit.start and (result[-1].end > result[-1].start or not edit.text):
            last = result.pop()
            edit = Edit(last.start, edit.end, last.text + edit.text)
        result.append(edit)
    return result
