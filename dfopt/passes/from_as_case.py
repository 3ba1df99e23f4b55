from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import keyword_span, like
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class FromAsCase(Pass):
    """Writes the `AS` of a FROM in the case of its FROM.

    Why: `docker build --check` warns where the two differ.

    Example:

    ```dockerfile
    FROM golang:1.24 as build
    ```

    ```dockerfile
    FROM golang:1.24 AS build
    ```

    Refuses: nothing. A FROM of mixed case (`From`) is for keyword-case.

    Declares: the second word of the FROM.
    """

    name = "from-as-case"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    codes = ("FromAsCasing",)
    default = False
    triggers = (" as ", "\tas ", " as\t", "\tas\t")
    order = 81

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        text = program.text
        for stage in program.stages:
            node = stage.node
            span = keyword_span(node)
            if len(node.arguments) != 3 or span is None:
                continue
            keyword = text[span[0] : span[1]]
            base, word, name = node.arguments
            start, end = node.joined.span(word.at, word.stop)
            wanted = like("AS", keyword)
            if keyword not in ("FROM", "from") or word.value == wanted or end - start != 2:
                continue
            rewrite = SetValue(stage.position, "FROM", (node.form, "", (base.value, wanted, name.value)))
            message = f"write {word.value} as {wanted}, as its {keyword}"
            yield Finding(
                self.name, message, node.start, node.end, Fix((Edit(start, end, wanted),), (rewrite,), "safe")
            )
