from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import is_pragma
from dfopt.editing.layout import line_start
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix, refused
from dfopt.passes.base import Pass
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_ONE_ONLY = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK"))


class DuplicateInstruction(Pass):
    """Removes a CMD, ENTRYPOINT or HEALTHCHECK that a later one of the same stage replaces.

    An image has one of each. The last one of a stage counts, whole; an earlier one leaves no trace in the image.

    Why: a reader takes the first for what runs. Two CMDs do not run two programs.

    Example:

    ```dockerfile
    FROM debian:13-slim
    CMD ["sshd", "-D"]
    CMD ["sleep", "infinity"]
    ```

    ```dockerfile
    FROM debian:13-slim
    CMD ["sleep", "infinity"]
    ```

    Refuses: where a comment for a tool (`# hadolint ignore=...`) stands above it or in it, since that comment would
    then speak about another instruction. All other comments stay. Instructions behind ONBUILD are left alone.

    Declares: the instruction goes.
    """

    name = "duplicate-instruction"
    group = "correct"
    tiers = ("safe",)
    phase = "repair"
    codes = (
        "DL3012", "DL4003", "DL4004", "MultipleInstructionsDisallowed", "DS-0007", "DS-0016", "DS-0023",
    )  # fmt: skip
    triggers = ("cmd", "entrypoint", "healthcheck")
    order = 15

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            last: dict[str, Step] = {}
            for step in stage.steps:
                if step.node.keyword in _ONE_ONLY:
                    last[step.node.keyword] = step
            for step in stage.steps:
                keyword = step.node.keyword
                if keyword in _ONE_ONLY and step is not last[keyword]:
                    yield self.without(program, step)

    def without(self, program: Program, step: Step) -> Finding:
        node = step.node
        message = f"remove this {node.keyword}: only the last one of a stage counts"
        if any(is_pragma(program.text, comment) for comment in (*node.above, *node.comments)):
            refusal = Refusal(
                "a comment for a tool stands above it or in it", "remove the comment with the instruction"
            )
            return refused(self.name, message, node.start, node.end, refusal)
        fix = Fix(tuple(_removal(program.text, step)), (RemoveStep(step.index),), "safe")
        return Finding(self.name, message, node.start, node.end, fix)


def _removal(text: str, step: Step) -> list[Edit]:
    """Edits that delete the instruction's lines, all but the comment lines among them, and one of two blank lines that
    would come together."""
    node = step.node
    edits: list[Edit] = []
    at = line_start(text, node.start)
    stop = text.find("\n", node.end) + 1 or len(text)
    for comment in node.comments:
        begin = line_start(text, comment.start)
        edits.append(Edit(at, begin, ""))
        at = text.find("\n", comment.end) + 1 or len(text)
    following = text.find("\n", stop) + 1
    if not node.comments and following and not text[stop:following].strip() and _blank_before(text, at):
        stop = following
    edits.append(Edit(at, stop, ""))
    return [edit for edit in edits if edit.end > edit.start]


def _blank_before(text: str, at: int) -> bool:
    return not text[line_start(text, at - 1) : at].strip()
