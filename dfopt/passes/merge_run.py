from __future__ import annotations

from dfopt.editing.run_joining import groups, list_obstacle, merge_edits, needs_wrap, obstacle, why
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.effects import killers
from dfopt.ir.liveness import Layers
from dfopt.passes.base import Option, Pass
from dfopt.rewrites.merge_listed import MergeListed
from dfopt.rewrites.merge_runs import MergeRuns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


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
    (a background job, `trap`, aliases); a RUN that makes a hard link or deletes its own directory, in front of another
    one; a shell that is not POSIX; a pragma comment between the two. Where a subshell is exactly right (`cd`, `export`,
    `set`, `exit`, `a; b`), the part is put in parentheses.

    Declares: the steps become one RUN, joined by `&&`, some of them in a subshell; or, where one is under `set -e`
    (which has no effect in front of `&&`), a list of subshells under `set -e`.
    """

    name = "merge-run"
    group = "size"
    phase = "layers"
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
                for group in groups(stage):
                    yield from self.in_group(program, group)

    def in_group(self, program: Program, group: list[Step]) -> Iterator[Finding]:
        """Findings of one run of neighbouring RUNs: the ranges worth merging, cut where merging is not possible."""
        for first, last, cause in self.ranges(program, group):
            at = first
            while at < last:
                stop, reason = self.reach(program, group, at, last)
                if stop < last and not list_obstacle(program, group[at : last + 1]):
                    yield self.merged(program, group[at : last + 1], cause, listed=True)
                    break
                if stop > at:
                    yield self.merged(program, group[at : stop + 1], cause)
                if reason and stop < last:
                    left, right = group[stop], group[stop + 1]
                    message = f"lines {left.node.line} and {right.node.line} stay apart, though {cause}"
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
                found.append((death.writer, last, why(death)))
            fresh = {effect.path for effect in effects if effect.kind == "refreshes"}
            stale = fresh - {effect.path for effect in effects if effect.kind == "installs"}
        merged: list[tuple[int, int, str]] = []
        for first, last, cause in sorted(found):
            if merged and first <= merged[-1][1]:
                head = merged.pop()
                reason = head[2] if cause in head[2] else f"{head[2]}; {cause}"
                merged.append((head[0], max(head[1], last), reason))
            else:
                merged.append((first, last, cause))
        return merged

    def reach(self, program: Program, group: list[Step], first: int, last: int) -> tuple[int, str]:
        """How far a merge that begins at `first` can go, and what stops it."""
        reason = ""
        for stop in range(last, first, -1):
            count = stop - first + 1
            reason = ""
            for position in range(count):
                reason = obstacle(program, group[first + position], position, count, group[first])
                if reason:
                    break
            if not reason:
                return stop, self.blocked_by(program, group, first, stop, last)
        return first, reason

    def blocked_by(self, program: Program, group: list[Step], first: int, stop: int, last: int) -> str:
        if stop == last:
            return ""
        count = stop - first + 2
        reasons = [obstacle(program, group[first + p], p, count, group[first]) for p in range(count)]
        return next((reason for reason in reversed(reasons) if reason), "")

    def merged(self, program: Program, steps: list[Step], cause: str, *, listed: bool = False) -> Finding:
        wrapped = tuple(listed or needs_wrap(program, step, i, len(steps)) for i, step in enumerate(steps))
        edits = merge_edits(program, steps, wrapped, listed=listed)
        indices = tuple(step.index for step in steps)
        rewrite = MergeListed(indices) if listed else MergeRuns(indices, wrapped)
        message = f"join {len(steps)} RUN instructions: {cause}"
        start, end = steps[0].node.start, steps[-1].node.end
        return Finding(self.name, message, start, end, Fix(tuple(edits), (rewrite,), "safe"))
