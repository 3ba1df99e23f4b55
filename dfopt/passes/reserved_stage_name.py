from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_RESERVED = {"scratch": "the empty image", "context": "the build context"}


class ReservedStageName(Pass):
    """Finds stages that are named `scratch` or `context`.

    `scratch` is the empty image, and BuildKit keeps `context` for the build context.

    Why: `FROM scratch` no longer is what everyone takes it for, or the stage cannot be reached by its name.

    Example:

    ```dockerfile
    FROM alpine:3.22 AS scratch
    RUN touch /file

    FROM alpine:3.22
    COPY --from=scratch /file /file
    ```

    Reported, not changed: another name, and the references that are to follow it, are the author's to choose.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "reserved-stage-name"
    group = "correct"
    tiers = ()
    phase = "repair"
    codes = ("ReservedStageName", "DL3063")
    triggers = tuple(_RESERVED)
    order = 20

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            meaning = _RESERVED.get(stage.name)
            if meaning is not None:
                start, end = stage.node.joined.span(stage.node.arguments[2].at, stage.node.arguments[2].stop)
                yield Finding(self.name, f"a stage cannot be told from {meaning} by the name {stage.name}", start, end)
