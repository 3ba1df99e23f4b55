from __future__ import annotations

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetFlags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_TARGET = ("$TARGETPLATFORM", "${TARGETPLATFORM}")


class RedundantPlatform(Pass):
    """Removes `--platform=$TARGETPLATFORM` from FROM.

    That is the platform which a stage is built for without the flag.

    Why: the flag makes readers look for a difference that is not there.

    Example:

    ```dockerfile
    FROM --platform=$TARGETPLATFORM debian:13
    RUN true
    ```

    ```dockerfile
    FROM debian:13
    RUN true
    ```

    Does nothing where an ARG before the first FROM gives TARGETPLATFORM a value of the file's own.

    Refuses: nothing.

    Declares: the flag goes.
    """

    name = "redundant-platform"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    codes = ("RedundantTargetPlatform", "DL3065")
    triggers = ("targetplatform",)
    default = False
    order = 83

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        if any(pair.name == "TARGETPLATFORM" for node in program.meta for pair in node.pairs if pair.value):
            return
        for stage in program.stages:
            node = stage.node
            flag = node.flag("platform")
            if flag is None or flag.value not in _TARGET or len(node.flags) != 1:
                continue
            start, end = node.joined.source(flag.at), node.joined.source(node.arguments[0].at)
            if program.text[start:end].strip() != node.joined.text[flag.at : flag.stop]:
                continue  # a continuation or a comment stands in between
            fix = Fix((Edit(start, end, ""),), (SetFlags(stage.position, ()),), "safe")
            message = "TARGETPLATFORM is what a stage is built for without --platform"
            yield Finding(self.name, message, node.start, node.end, fix)
