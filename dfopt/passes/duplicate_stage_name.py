from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class DuplicateStageName(Pass):
    """Finds stages that have the name of an earlier one.

    Stage names have no case. From the second FROM on, the name means that stage; the first can be reached by its number
    alone, and `--target` builds the last one.

    Why: whoever reads `COPY --from=build` looks at the first stage of that name, and takes files from another.

    Example:

    ```dockerfile
    FROM golang:1.24 AS build
    RUN go build -o /api ./cmd/api

    FROM golang:1.24 AS build
    RUN go build -o /worker ./cmd/worker

    FROM scratch
    COPY --from=build /api /api
    ```

    Reported, not changed: which of the references mean which stage, only the author knows.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "duplicate-stage-name"
    group = "correct"
    tiers = ()
    phase = "repair"
    codes = ("DuplicateStageName", "DL3024", "CKV_DOCKER_11", "DS-0012")
    triggers = (" as ", "\tas ", " as\t", "\tas\t")
    order = 20

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        lines: dict[str, int] = {}
        for stage in program.stages:
            if stage.name in lines:
                start, end = stage.node.joined.span(stage.node.arguments[2].at, stage.node.arguments[2].stop)
                message = f"line {lines[stage.name]} names a stage {stage.name}, too: from here on this one is meant"
                yield Finding(self.name, message, start, end)
            if stage.name:
                lines.setdefault(stage.name, stage.node.line)
