from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class ConstantPlatform(Pass):
    """Finds a FROM whose `--platform` is one fixed platform.

    The stage is built for that platform, whatever `docker build --platform` asks. Where the image exists for no other
    platform, or the stage only prepares files, that is meant: off by default for that reason. A stage that says so in
    its name (`AS build-amd64` for linux/amd64) is left alone, as BuildKit leaves it.

    Why: an image that is asked for arm64 holds programs for amd64, which run slowly or not at all.

    Example:

    ```dockerfile
    FROM --platform=linux/amd64 debian:13
    RUN uname -m
    ```

    Reported, not changed: whether the image is there for other platforms is not written in the file.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "constant-platform"
    group = "advice"
    tiers = ()
    phase = "repair"
    codes = ("FromPlatformFlagConstDisallowed", "DL3029")
    triggers = ("platform",)
    default = False
    order = 24

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            flag = stage.node.flag("platform")
            if flag is None or not flag.value or "$" in flag.value:
                continue
            if any(part and part in stage.name for part in flag.value.lower().split("/")):
                continue
            start, end = stage.node.joined.span(flag.at, flag.stop)
            message = f"the stage is built for {flag.value} alone, whatever platform a build asks for"
            yield Finding(self.name, message, start, end)
