from __future__ import annotations

from dfopt.analysis.path_index import indices_before
from dfopt.editing.argument_edits import replace_arguments
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding
from dfopt.ir.scopes import join_path
from dfopt.passes.base import Pass
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


class CopyDestination(Pass):
    """Ends the destination of a COPY or ADD that has several sources with a slash.

    Why: without it, Docker's older builder, Podman and Kaniko refuse the file. BuildKit copies one source after the
    other: where no directory of the name is there, each replaces the one before it under that name.

    Example:

    ```dockerfile
    FROM node:22
    COPY package.json package-lock.json /app
    ```

    ```dockerfile
    FROM node:22
    COPY package.json package-lock.json /app/
    ```

    Refuses: nothing. JSON form, ONBUILD and destinations in variables without a value in the file are reported alone or
    left alone.

    Declares: the destination. `safe` where a WORKDIR before it makes the directory; else `unsafe`: without the slash,
    the destination may be one file.
    """

    name = "copy-destination"
    group = "correct"
    phase = "repair"
    codes = ("DL3021", "DS-0011")
    triggers = ("copy", "add")
    order = 29
    declares = Declares(files="any")

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                if node.keyword not in ("COPY", "ADD") or len(node.arguments) < 3:
                    continue
                written = node.arguments[-1].value
                target = program.scope(step).expand(written, program.dockerfile.escape)
                if isinstance(target, Unknown) or not target or target.endswith(("/", "\\")):
                    continue
                if target.rpartition("/")[2] in (".", ".."):
                    continue
                known = self.is_directory(program, step, target)
                fix = None
                if not written.endswith(("'", '"', "}")):
                    words = {len(node.arguments) - 1: written + "/"}
                    fix = replace_arguments(step.index, step.node, words, "safe" if known else "unsafe")
                start, end = node.joined.span(node.arguments[-1].at, node.arguments[-1].stop)
                message = f"{node.keyword} of several sources to {written}: a directory holds them, which ends in /"
                yield Finding(self.name, message, start, end, fix)

    def is_directory(self, program: Program, step: Step, target: str) -> bool:
        """Whether a WORKDIR before the step makes the directory, or one below it."""
        path = join_path(program.scope(step).workdir, target)
        if isinstance(path, Unknown):
            return False
        _, index, limit = next(indices_before(program, step))
        return any(at < limit for at in index.workdirs.get(path, ())[:1])
