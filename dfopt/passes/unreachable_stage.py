from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class UnreachableStage(Pass):
    """Finds stages that are not the last one, and that no other stage builds on, copies from or mounts.

    A build without `--target` skips them. Often they are meant to: a stage for tests or for development is built by
    `--target NAME`. Off by default for that reason.

    Why: what nobody builds is not tested, and grows wrong.

    Example:

    ```dockerfile
    FROM node:22 AS assets
    RUN npm run build

    FROM nginx:1.29
    COPY html /usr/share/nginx/html
    ```

    Stages that a build definition at hand (Compose, bake, CI ...) names as the target of a build are not reported.

    Reported, not changed: whether a `--target` builds the stage is not written in the file.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "unreachable-stage"
    group = "advice"
    tiers = ()
    phase = "repair"
    default = False
    order = 21

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        used: set[int | None] = {stage.parent for stage in program.stages}
        for stage in program.stages:
            used |= program.copies_from(stage)
        builds = facts.stated_builds() or ()
        for stage in program.stages:
            last = stage is program.final
            if any(build.builds(stage.index, stage.name, last) is not False for build in builds):
                continue  # or it may be
            if stage is not program.final and stage.index not in used:
                how = f"--target {stage.name}" if stage.name else f"--target {stage.index}"
                message = f"no stage uses this one: a build skips it, but for one with {how}"
                yield Finding(self.name, message, stage.node.start, stage.node.end)
