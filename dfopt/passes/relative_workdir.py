from __future__ import annotations

from dfopt.editing.argument_edits import replace_arguments
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_WINDOWS = regex(r"[A-Za-z]:|.*\\")


class RelativeWorkdir(Pass):
    """Finds a WORKDIR that counts from the working directory of the base image, and writes the whole path where that is
    known.

    A relative WORKDIR behind an absolute one is left alone: the file says where it is.

    Why: the base image's next version, or another base, may start elsewhere, and the program is then in another place.

    Example:

    ```dockerfile
    FROM debian:13
    WORKDIR app
    ```

    ```dockerfile
    FROM debian:13
    WORKDIR /app
    ```

    Where the working directory of the base image is not known, it is reported alone.

    Refuses: nothing. A path in a variable without a value in the file is left alone, and so is Windows.

    Declares: the WORKDIR is written another way, the directory is the same.
    """

    name = "relative-workdir"
    group = "reproducible"
    tiers = ("safe",)
    phase = "repair"
    codes = ("DL3000", "WorkdirRelativePath", "CKV_DOCKER_10", "DS-0009")
    triggers = ("workdir",)
    order = 28

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        settled: dict[int | None, bool] = {None: False}  # stage -> whether an absolute path, or one not known, was set
        for stage in program.stages:
            absolute = settled[stage.parent]
            for step in stage.steps:
                if step.node.keyword != "WORKDIR":
                    continue
                path = program.scope(step).expand(step.node.arguments[0].value, program.dockerfile.escape)
                if isinstance(path, Unknown) or path.startswith("/") or _WINDOWS.match(path):
                    absolute = True
                elif not absolute:
                    absolute = True  # one report a stage
                    yield self.found(program, stage, step, path)
            settled[stage.index] = absolute

    def found(self, program: Program, stage: Stage, step: Step, path: str) -> Finding:
        node = step.node
        whole = join_path(program.scope(step).workdir, path)
        message = f"WORKDIR {path} counts from the working directory of {program.root(stage).base}"
        if isinstance(whole, Unknown) or "$" in node.body or any(char in path for char in " \"'"):
            return Finding(self.name, message, node.start, node.end)
        fix = replace_arguments(step.index, node, {0: whole}, "safe")
        return Finding(self.name, f"{message}: today that is {whole}", node.start, node.end, fix)
