from __future__ import annotations

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import Relayout
from dfopt.syntax.tree import GO_SPACE
from dfopt.syntax.validate import KEYWORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.syntax.tree import Instruction

_WORD = regex(r"[ \t]*([A-Z]+)[ \t]")


class EmptyContinuation(Pass):
    """Removes blank lines inside an instruction that continues over several lines.

    Why: BuildKit skips such lines for now, with a warning that they will become errors.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN echo one && \\

        echo two
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN echo one && \\
        echo two
    ```

    Refuses: where the line behind the blank one begins like an instruction. It is part of the one before, which hardly
    anybody means: the continuation character is too much there, and to remove it would change the build.

    Declares: only the layout of the instruction changes.
    """

    name = "empty-continuation"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    default = False
    codes = ("NoEmptyContinuation",)
    order = 70

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        text = program.text
        for index, node in enumerate(program.dockerfile.instructions):
            if not node.empty_lines:
                continue
            swallowed = _swallowed(text, node)
            if swallowed:
                reason = f"{swallowed} behind a blank line is read as part of this {node.keyword}: is that meant?"
                yield Finding(self.name, "a blank line in a continuation", node.start, node.end, None, reason)
                continue
            edits: list[Edit] = []
            for start in node.empty_lines:
                end = text.find("\n", start) + 1 or len(text)
                if edits and edits[-1].end == start:
                    start = edits.pop().start
                edits.append(Edit(start, end, ""))
            count = len(node.empty_lines)
            message = f"remove {'a blank line' if count == 1 else f'{count} blank lines'} inside the instruction"
            yield Finding(self.name, message, node.start, node.end, Fix(tuple(edits), (Relayout(index),), "safe"))


def _swallowed(text: str, node: Instruction) -> str:
    """The keyword that begins a line behind a blank line of the instruction, where there is one."""
    for start in node.empty_lines:
        at = text.find("\n", start) + 1
        while 0 < at < node.end:
            end = text.find("\n", at)
            line = text[at : end if end >= 0 else len(text)]
            if line.strip(GO_SPACE) and not line.lstrip(GO_SPACE).startswith("#"):
                word = _WORD.match(line)
                if word is not None and word[1] in KEYWORDS:
                    return word[1]
                break
            at = end + 1
    return ""
