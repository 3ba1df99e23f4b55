from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import keyword_edit
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.passes.base import Option, Pass
from dfopt.rewrites.instructions import SetValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class MaintainerToLabel(Pass):
    """Writes MAINTAINER as a label.

    Quotes around the whole name, which MAINTAINER keeps as part of it, are left out of the label.

    Why: MAINTAINER is deprecated, and a label can be seen with `docker inspect --format` like any other.

    Example:

    ```dockerfile
    FROM debian:13-slim
    MAINTAINER Jane Doe <jane@example.org>
    ```

    ```dockerfile
    FROM debian:13-slim
    LABEL org.opencontainers.image.authors="Jane Doe <jane@example.org>"
    ```

    Refuses: where the stage sets that label itself, and where a comment stands before the name. The fix is `unsafe`:
    the image's config loses its author field and gains a label.

    Declares: the instruction becomes a LABEL.
    """

    name = "maintainer-to-label"
    group = "modernize"
    tiers = ("unsafe",)
    phase = "names"
    default = False
    codes = ("DL4000", "MaintainerDeprecated", "CKV_DOCKER_6", "DS-0022")
    triggers = ("maintainer",)
    order = 61
    options = (
        Option(
            "label", "choice", "org.opencontainers.image.authors", "the label's name",
            ("org.opencontainers.image.authors", "maintainer"),
        ),
    )  # fmt: skip
    declares = Declares(settings=("Labels.*",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                if step.node.keyword == "MAINTAINER":
                    yield self.check(program, stage, step)

    def check(self, program: Program, stage: Stage, step: Step) -> Finding:
        node = step.node
        label: str = self.settings["label"]
        message = f"MAINTAINER is deprecated: write it as the label {label}"
        labels = (pair for other in stage.steps if other.node.keyword == "LABEL" for pair in other.node.pairs)
        if any(pair.name.strip("\"'") == label for pair in labels):
            return Finding(self.name, message, node.start, node.end, None, "the stage sets that label too")
        keyword = keyword_edit(program.text, node, "LABEL")
        begin, end = node.body_span(0, len(node.body))
        if keyword is None or any(comment.start < begin for comment in node.comments):
            reason = "MAINTAINER and the name are apart"
            return Finding(self.name, message, node.start, node.end, None, reason)
        name, escape = node.body, program.dockerfile.escape
        first, last = 0, len(name)
        if last > 2 and name[0] in "\"'" and name[-1] == name[0] and name[0] not in name[1:-1]:
            first, last = 1, last - 1
        edits = [Edit(keyword.start, node.body_span(first, last)[0], f'{keyword.text} {label}="')]
        value = ""
        for at in range(first, last):
            if name[at] in ('"', "$", escape):  # MAINTAINER takes them as they are, a label's value does not
                where = node.body_span(at, at + 1)[0]
                if at == first:
                    edits[0] = Edit(edits[0].start, edits[0].end, edits[0].text + escape)
                else:
                    edits.append(Edit(where, where, escape))
                value += escape
            value += name[at]
        edits.append(Edit(node.body_span(first, last)[1], end, '"'))
        rewrite = SetValue(step.index, "LABEL", ("pairs", ((label, f'"{value}"'),)))
        return Finding(self.name, message, node.start, node.end, Fix(tuple(edits), (rewrite,), "unsafe"))
