from __future__ import annotations

import posixpath
import re

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.base_images import split_image
from dfopt.ir.effects import manager, subcommand
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.base import Pass
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown
from dfopt.syntax.go_pattern import has_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class MissingArtifact(Pass):
    """Finds `COPY --from=STAGE PATH` of a path that no step of the stage makes.

    A path in another stage counts from `/`, not from that stage's WORKDIR.

    Why: the build fails with "not found", after it has built the whole stage.

    Example:

    ```dockerfile
    FROM golang:1.24 AS builder
    COPY . .
    RUN go build -o app .

    FROM scratch
    COPY --from=builder /app /app
    ```

    Here the program is /go/app: the image's working directory is /go.

    Only said where all of the stage is known: its base is an image whose top-level directories a table lists, the
    directory of that path is named by no step of it, and its RUNs call nothing but programs whose results have their
    place (package managers, `go`, `cargo` and simple tools for files). What is in the base's own directories (`/usr`)
    is never judged.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "missing-artifact"
    group = "correct"
    tiers = ()
    phase = "repair"
    triggers = ("from=",)
    order = 32

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                flag = node.flag("from") if node.keyword == "COPY" else None
                index = program.stage_named(flag.value, stage.index) if flag is not None and flag.value else None
                if index is None:
                    continue
                source = program.stages[index]
                for argument in node.arguments[:-1]:
                    word = program.scope(step).expand(argument.value, program.dockerfile.escape)
                    if isinstance(word, Unknown) or has_wildcard(word):
                        continue
                    path = posixpath.normpath("/" + word.lstrip("/"))
                    if path != "/" and _never_made(program, source, path):
                        start, end = node.joined.span(argument.at, argument.stop)
                        yield Finding(self.name, self.message(program, source, path, word), start, end)

    def message(self, program: Program, source: Stage, path: str, word: str) -> str:
        message = f"no step of the stage makes {path}"
        workdir = program.end_scope(source).workdir
        if not isinstance(workdir, str) or workdir == "/":
            return message
        if word.startswith("/"):
            return f"{message}: they work in {workdir}"
        return f"{message}: a path counts from /, not from the WORKDIR {workdir}"


def _never_made(program: Program, source: Stage, path: str) -> bool:
    """Whether nothing in a stage can make a path; False where any of it is not known."""
    paths = table("base_paths")
    top = path.split("/")[1]
    root = program.root(source)
    repository = "scratch" if root.image == "scratch" else split_image(root.image or "")[0]
    if repository != "scratch" and (repository not in paths["plain"] or top in paths["standard"]):
        return False
    if f"/{top}" in paths["own"].get(repository, ()):
        return False
    word = re.compile(rf"/{re.escape(top)}(?![\w-])|(?<![\w.-]){re.escape(top)}/")
    steps = layer_steps(program, source)
    texts = [program.text[step.node.start : step.node.end] for step in steps]
    texts += [node.joined.text for node in program.meta]
    if any(word.search(text) for text in texts):
        return False
    return all(_stays_elsewhere(program, step, top) for step in steps)


def _stays_elsewhere(program: Program, step: Step, top: str) -> bool:
    """Whether a step makes nothing at the top level, but for what it names."""
    node, scope = step.node, program.scope(step)
    if node.keyword in ("COPY", "ADD", "WORKDIR"):
        target = destination(program, step)
        return target is not None and target != "/" and target.split("/")[1] != top
    if node.keyword == "ONBUILD":
        return False
    if node.keyword != "RUN":
        return True
    if scope.workdir == "/" or isinstance(scope.workdir, Unknown) or node.form == "json":
        return False
    if program.body(step).program is None or any(effect.kind == "opaque" for effect in program.effects(step)):
        return False
    directory: str | Unknown = scope.workdir
    for invocation in program.commands(step).invocations:
        if any(value is None for value in invocation.values) or any(invocation.node.redirects):
            return False
        if invocation.program == "cd":
            directory = join_path(directory, invocation.values[0] or "") if invocation.values else "/"
            if isinstance(directory, Unknown) or directory == "/":
                return False
        elif not _placed(invocation):
            return False
    return True


def _placed(invocation: Invocation) -> bool:
    """Whether a command writes nowhere but in its directory, where its words say, and where its kind has its place."""
    placed = table("programs")["placed"]
    facts = manager(invocation.program)
    if facts is not None:
        return subcommand(invocation, facts)[0] in facts["commands"]
    subcommands: list[str] = placed["subcommands"].get(invocation.program, [])
    return invocation.program in placed["names"] or (invocation.values or [""])[0] in subcommands
