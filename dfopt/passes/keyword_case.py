from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import keyword_span
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.passes.base import Option, Pass
from dfopt.rewrites.instructions import Relayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class KeywordCase(Pass):
    """Writes all instruction keywords of a file in one case: the one that most of them have.

    Why: a keyword in another case than its neighbours is easy to miss, and `docker build --check` warns of it.

    Example:

    ```dockerfile
    FROM alpine:3.22
    Run echo hello
    copy app /app
    CMD ["/app"]
    ```

    ```dockerfile
    FROM alpine:3.22
    RUN echo hello
    COPY app /app
    CMD ["/app"]
    ```

    Refuses: nothing. The instruction behind ONBUILD is left as it is: the image config keeps its text.

    Declares: only the layout of the instructions changes.
    """

    name = "keyword-case"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    codes = ("ConsistentInstructionCasing",)
    default = False
    order = 80
    options = (
        Option("case", "choice", "majority", "that of most keywords, or always one", ("majority", "upper", "lower")),
    )

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        text = program.text
        found: list[tuple[int, tuple[int, int], str]] = []
        for index, node in enumerate(program.dockerfile.instructions):
            span = keyword_span(node)
            if span is not None:
                found.append((index, span, text[span[0] : span[1]]))
        case = self.settings["case"]
        if case == "majority":  # words of mixed case have no vote, and upper case wins a tie: BuildKit's rule
            lower = sum(word.islower() for _, _, word in found)
            upper = sum(word.isupper() for _, _, word in found)
            case = "lower" if lower > upper else "upper"
        for index, (start, end), word in found:
            wanted = word.lower() if case == "lower" else word.upper()
            if word != wanted:
                node = program.dockerfile.instructions[index]
                fix = Fix((Edit(start, end, wanted),), (Relayout(index),), "safe")
                yield Finding(self.name, f"write {word} as {wanted}", node.start, node.end, fix)
