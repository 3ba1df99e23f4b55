from __future__ import annotations

from dfopt.analysis.joined_layers import joining_benefit
from dfopt.editing.run_joining import adjacent_runs, merge_edits, subshells
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix, refused
from dfopt.passes.base import Option, Pass
from dfopt.passes.merge_run.ranges import can_be_list, overlapping, reach
from dfopt.passes.merge_run.reasons import Reason, reasons
from dfopt.refusal import Refusal
from dfopt.rewrites.merge_listed import MergeListed
from dfopt.rewrites.merge_runs import MergeRuns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


_NAMED = 4  # reasons that a message lists


class MergeRun(Pass):
    """Joins consecutive RUN instructions into one, where that makes the image smaller.

    Each RUN is a layer: a file that one RUN writes and a later RUN deletes stays in the image for ever. Joined by `&&`,
    both happen in one layer. By default only RUNs between such a pair are joined, and those that install from one
    package index, which would stay in the first one's layer; and only in stages that reach an image.

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
    (a background job, `trap`, aliases); a RUN that makes a hard link, deletes its own directory or replaces its shell,
    in front of another one; BASH_ENV; a shell that is not POSIX; a pragma comment between the two; an index that is
    needed only behind a step of another kind; a step that installs or compiles, and one behind it that deletes or
    changes no more than a line of text. Where a subshell is exactly right (`cd`, `export`, `set`, `exit`, `a; b`,
    a program that is installed a second time), the part is put in parentheses.

    Declares: the steps become one RUN, joined by `&&`, some of them in a subshell; or, where one is under `set -e`
    (which has no effect in front of `&&`), a list of subshells under `set -e`.
    """

    name = "merge-run"
    group = "size"
    tiers = ("safe",)
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
                for group in adjacent_runs(stage):
                    yield from self.in_group(program, group)

    def in_group(self, program: Program, group: list[Step]) -> Iterator[Finding]:
        """Findings of one run of neighbouring RUNs: the ranges worth merging, cut where merging is not possible."""
        gains = self.gains(program, group)
        yield from self.costly(group, gains)
        for joint in overlapping([reason for reason in gains if not reason.costly]):
            at, end = joint[0].first, max(reason.last for reason in joint)
            while at < end:
                stop, refusal = reach(program, group, at, end)
                if stop < end and can_be_list(program, group[at : end + 1]):
                    yield self.merged(program, group[at : end + 1], joint, listed=True)
                    break
                inside = [reason for reason in joint if at <= reason.first and reason.last <= stop]
                for part in overlapping(inside):
                    steps = group[part[0].first : max(reason.last for reason in part) + 1]
                    yield self.merged(program, steps, part)
                cut = next((reason for reason in joint if at <= reason.first <= stop < reason.last), None)
                if refusal is not None and cut is not None:
                    yield self.apart(group[stop], group[stop + 1], cut, refusal)
                at = stop + 1

    def gains(self, program: Program, group: list[Step]) -> list[Reason]:
        """What joining steps of a group gains."""
        if self.settings["when"] == "all":
            return [Reason(first, first + 1, "fewer layers") for first in range(len(group) - 1)]
        return reasons(program, group)

    def costly(self, group: list[Step], gains: list[Reason]) -> Iterator[Finding]:
        """What is not joined for what would be built again more often."""
        for reason in gains:
            if reason.costly:
                line = group[reason.last].node.line
                again = f"line {reason.costly} stands between, and would be built again whenever line {line} changes"
                way = "give each RUN that installs an update of its own (update-with-install: every = true), or "
                if reason.small:
                    again, way = f"line {reason.costly} would be built again whenever line {line} changes", ""
                refusal = Refusal(again, f'{way}set when = "all" for merge-run')
                yield self.apart(group[reason.first], group[reason.last], reason, refusal)

    def apart(self, left: Step, right: Step, reason: Reason, refusal: Refusal) -> Finding:
        message = f"lines {left.node.line} and {right.node.line} stay apart, though {reason.text}"
        return refused(self.name, message, left.node.start, right.node.end, refusal)

    def merged(self, program: Program, steps: list[Step], why: list[Reason], *, listed: bool = False) -> Finding:
        wrapped = tuple([True] * len(steps)) if listed else subshells(program, steps)
        edits = merge_edits(program, steps, wrapped, listed=listed)
        indices = tuple([step.index for step in steps])
        rewrite = MergeListed(indices) if listed else MergeRuns(indices, wrapped)
        texts = list(dict.fromkeys([reason.text for reason in why]))
        if len(texts) > _NAMED:
            texts = [*texts[: _NAMED - 1], f"and {len(texts) - _NAMED + 1} more of that kind"]
        message = f"join {len(steps)} RUN instructions: {'; '.join(texts)}"
        start, end = steps[0].node.start, steps[-1].node.end
        fix = Fix(tuple(edits), (rewrite,), "safe")
        return Finding(self.name, message, start, end, fix, benefit=joining_benefit(program, steps))
