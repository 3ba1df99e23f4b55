from __future__ import annotations

from dfopt.edit import Edit
from dfopt.ir.effects import killers
from dfopt.ir.liveness import Layers
from dfopt.ir.rewrite import MergeRuns, RewriteError, check_part
from dfopt.passes._layout import body_end, chain_style, line_end, line_start
from dfopt.passes._spelling import is_pragma
from dfopt.passes.base import Facts, Finding, Fix, Option, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.liveness import Death
    from dfopt.ir.program import Program, Stage, Step


class MergeRun(Pass):
    """Joins consecutive RUN instructions into one, where that makes the image smaller.

    Each RUN is a layer: a file that one RUN writes and a later RUN deletes stays in the image for ever. Joined by `&&`,
    both happen in one layer. By default only RUNs between such a pair are joined (and a lone package index refresh with
    the installation behind it, whose cached layer goes stale), and only in stages that reach an image.

    Why: deleted and overwritten files are the largest source of dead bytes in images, and a stale `apt-get update`
    layer is the most frequent reason for "Unable to locate package".

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update
    RUN apt-get install -y curl
    RUN rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update \\
        && apt-get install -y curl \\
        && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: heredocs, exec form, ONBUILD and different flags; RUNs whose shell state cannot be confined to a subshell
    (a background job, `trap`, aliases, `set -e` in front of another command); a shell that is not POSIX; a pragma
    comment between the two. Where a subshell is exactly right (`cd`, `export`, `set`, `exit`, `a; b`), the part is put
    in parentheses.

    Declares: the steps become one RUN, joined by `&&`, some of them in a subshell.
    """

    name = "merge-run"
    group = "size"
    codes = ("DL3059",)
    triggers = ("run",)
    order = 20
    options = (
        Option(
            "when", "choice", "pays", "merge where a layer gets smaller, or wherever it is correct", ("pays", "all")
        ),
        Option("stages", "choice", "shipped", "only in stages that reach an image, or in all", ("shipped", "all")),
    )

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        shipped = program.shipped()
        for stage in program.stages:
            if self.settings["stages"] == "all" or stage.index in shipped:
                for group in _groups(stage):
                    yield from self.in_group(program, group)

    def in_group(self, program: Program, group: list[Step]) -> Iterator[Finding]:
        """Findings of one run of neighbouring RUNs: the ranges worth merging, cut where merging is not possible."""
        for first, last, why in self.ranges(program, group):
            at = first
            while at < last:
                stop, reason = self.reach(program, group, at, last)
                if stop > at:
                    yield self.merged(program, group[at : stop + 1], why)
                if reason and stop < last:
                    left, right = group[stop], group[stop + 1]
                    message = f"lines {left.node.line} and {right.node.line} stay apart, though {why}"
                    yield Finding(self.name, message, left.node.start, right.node.end, None, reason)
                at = stop + 1

    def ranges(self, program: Program, group: list[Step]) -> list[tuple[int, int, str]]:
        """(first, last, why) of what should become one step; disjoint, in order."""
        if self.settings["when"] == "all":
            return [(0, len(group) - 1, "fewer layers")]
        found: list[tuple[int, int, str]] = []
        if not killers().search(program.text, group[0].node.start, group[-1].node.end):
            return found
        layers = Layers()
        stale: set[str] = set()  # package families whose index the step before refreshed without installing
        for last, step in enumerate(group):
            effects = program.effects(step)
            if any(effect.kind == "installs" and effect.path in stale for effect in effects):
                found.append((last - 1, last, "a package index in a layer of its own goes stale"))
            for death in layers.feed(last, effects):
                found.append((death.writer, last, _why(death)))
            fresh = {effect.path for effect in effects if effect.kind == "refreshes"}
            stale = fresh - {effect.path for effect in effects if effect.kind == "installs"}
        merged: list[tuple[int, int, str]] = []
        for first, last, why in sorted(found):
            if merged and first <= merged[-1][1]:
                head = merged.pop()
                reason = head[2] if why in head[2] else f"{head[2]}; {why}"
                merged.append((head[0], max(head[1], last), reason))
            else:
                merged.append((first, last, why))
        return merged

    def reach(self, program: Program, group: list[Step], first: int, last: int) -> tuple[int, str]:
        """How far a merge that begins at `first` can go, and what stops it."""
        reason = ""
        for stop in range(last, first, -1):
            count = stop - first + 1
            reason = ""
            for position in range(count):
                reason = _obstacle(program, group[first + position], position, count, group[first])
                if reason:
                    break
            if not reason:
                return stop, self.blocked_by(program, group, first, stop, last)
        return first, reason

    def blocked_by(self, program: Program, group: list[Step], first: int, stop: int, last: int) -> str:
        if stop == last:
            return ""
        count = stop - first + 2
        reasons = [_obstacle(program, group[first + p], p, count, group[first]) for p in range(count)]
        return next((reason for reason in reversed(reasons) if reason), "")

    def merged(self, program: Program, steps: list[Step], why: str) -> Finding:
        wrapped = tuple(_needs_wrap(program, step, i, len(steps)) for i, step in enumerate(steps))
        edits = _edits(program, steps, wrapped)
        rewrite = MergeRuns(tuple(step.index for step in steps), wrapped)
        message = f"join {len(steps)} RUN instructions: {why}"
        start, end = steps[0].node.start, steps[-1].node.end
        return Finding(self.name, message, start, end, Fix(tuple(edits), (rewrite,), "safe"))


def _groups(stage: Stage) -> Iterator[list[Step]]:
    """Runs of neighbouring RUN instructions, two or more."""
    group: list[Step] = []
    for step in (*stage.steps, None):
        if step is not None and step.node.keyword == "RUN":
            group.append(step)
            continue
        if len(group) > 1:
            yield group
        group = []


def _why(death: Death) -> str:
    family, colon, package = death.path.partition(":")
    if colon and "/" not in family:
        return f"{package} is removed in a later layer than it is installed"
    if death.kind == "deleted":
        return f"{death.path} is deleted in a later layer than it is written"
    return f"{death.path} is written again by {death.program} in a later layer"


def _obstacle(program: Program, step: Step, position: int, count: int, first: Step) -> str:
    """What keeps a step from being part `position` of `count`; "" where nothing does."""
    node = step.node
    body = program.body(step)
    if node.doubt:
        return node.doubt
    if body.form != "line" or body.program is None:
        return "heredocs are never merged" if step.heredocs else body.why
    if [(f.name, f.value) for f in node.flags] != [(f.name, f.value) for f in first.node.flags]:
        return "the flags differ"
    if any(flag.name == "mount" and "type=tmpfs" in (flag.value or "") for flag in node.flags):
        return "a tmpfs mount is empty at the beginning of each step"
    if position:
        if any(is_pragma(program.text, comment) for comment in node.above):
            return "a comment above it is meant for this instruction alone"
        head = node.joined.span(node.at, node.at + 1)[0]
        if any(node.start < comment.start < head for comment in node.comments):
            return "a comment stands between RUN and its command"
    try:
        check_part(program, step, position, count, _needs_wrap(program, step, position, count))
    except RewriteError as error:
        return str(error)
    return ""


def _needs_wrap(program: Program, step: Step, position: int, count: int) -> bool:
    """Whether a part must run in a subshell: its state would leak, or its list would mask what came before."""
    body = program.body(step)
    if body.program is None:
        return False
    found = program.leaks(step)
    last = position == count - 1
    if found.state and not last:
        return True
    if position and found.errexit and "e" not in body.shell.options:
        return True
    return found.lists and (position > 0 or body.program.script.items[-1].terminator != "")


def _edits(program: Program, steps: list[Step], wrapped: tuple[bool, ...]) -> list[Edit]:
    text = program.text
    escape = program.dockerfile.escape
    style = chain_style(program, max(steps, key=lambda step: step.node.last - step.node.line))
    edits: list[Edit] = []
    for position, step in enumerate(steps):
        body = program.body(step)
        begin, end = body.span(0, 1)[0], body_end(body)
        close = ")" if wrapped[position] else ""
        opening = "" if not wrapped[position] else "( " if text[begin] == "(" else "("
        if position:
            lead = f"{style.indent}&&{style.gap}" if style.leading else style.indent
            edits.append(Edit(line_start(text, step.node.start), begin, lead + opening))
        elif opening:
            edits.append(Edit(begin, begin, opening))
        if position == len(steps) - 1:
            if close:
                edits.append(Edit(end, end, close))
            continue
        joint = f" {escape}" if style.leading else f" && {escape}"
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
