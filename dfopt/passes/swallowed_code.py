from __future__ import annotations

import re
from bisect import bisect_right

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step


class SwallowedCode(Pass):
    """Finds commands that a comment in the middle of an instruction silently turns off.

    Continuation lines are joined into one line before the shell sees them. A `#` behind a command is a comment up to
    the end of that *joined* line: all that the lines below say is part of the comment, and never runs. (A line that
    begins with `#` is different: the builder takes it out.)

    Why: the build is green and ran half of its commands.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN echo one # the first one \\
        && echo two
    ```

    Reported, not changed: which of the commands were meant to run, only the author knows. Put the comment on a line of
    its own, above the command that it speaks of.

    Refuses: nothing. Looks at RUN, CMD, ENTRYPOINT and HEALTHCHECK in shell form, behind ONBUILD too; not at heredocs,
    whose lines stay lines.

    Declares: nothing; it is a suggestion.
    """

    name = "swallowed-code"
    group = "correct"
    tiers = ()
    phase = "repair"
    triggers = ("#",)
    order = 10

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                if node.form == "shell" and len(node.joined.starts) > 1 and "#" in node.body:
                    body = program.body(step)
                    if body.program is not None and body.form == "line" and body.program.script.comments:
                        finding = self.check(program, step, body)
                        if finding is not None:
                            yield finding

    def check(self, program: Program, step: Step, body: Body) -> Finding | None:
        assert body.program is not None
        start, end = body.program.script.comments[0]
        joined = body.joined
        # what of the comment stands on a later line than its `#`
        piece = bisect_right(joined.starts, body.at + start)
        below = joined.starts[piece] - body.at if piece < len(joined.starts) else end
        lost = re.sub(r"\s+", " ", body.text[below:end]).strip()
        if below >= end or not lost:
            return None
        first, last = body.span(start, end)
        lines = program.text.count("\n", 0, joined.sources[piece]) + 1, program.text.count("\n", 0, last - 1) + 1
        where = f"line {lines[0]}" if lines[0] == lines[1] else f"lines {lines[0]} to {lines[1]}"
        comment = re.sub(r"\s+", " ", body.text[start:below]).strip()
        message = f"the comment {_short(comment, 30)!r} turns off the rest of this {step.effective.keyword}: {where}"
        return Finding(self.name, f"{message}, {_short(lost, 60)!r}", first, last)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3].rstrip() + "..."
