"""Advice on instructions: a row each (see `engine`)."""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.passes.advice.engine import Advice
from dfopt.passes.base import Pass
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.passes.advice.engine import Place

_SSH = regex(r"(?i:0*22(?:/tcp)?)\Z")
_WINDOWS = regex(r"[A-Za-z]:")


class MissingHealthcheck(Advice, Pass):
    """Finds an image without a HEALTHCHECK.

    Why: Docker and Swarm then take a process that runs for one that works. Kubernetes has probes of its own, and reads
    none.
    """

    name = "missing-healthcheck"
    codes = ("DL3057", "CKV_DOCKER_2", "CIS-DI-0006", "DS-0026")
    triggers = ("from",)
    example = 'FROM nginx:1.29\nCMD ["nginx", "-g", "daemon off;"]'

    def places(self, program: Program) -> Iterator[Place]:
        final = program.final
        stage = final
        while stage is not None:
            if any(step.effective.keyword == "HEALTHCHECK" for step in stage.steps):
                return
            stage = program.stages[stage.parent] if stage.parent is not None else None
        if final is not None:
            yield "the image has no HEALTHCHECK", final.node.start, final.node.end


class NamedUser(Advice, Pass):
    """Finds a last USER that is a name.

    Why: Kubernetes' `runAsNonRoot` takes a number alone: it does not look the name up in the image.
    """

    name = "named-user"
    codes = ("DL3066",)
    triggers = ("user",)
    example = "FROM node:22\nUSER node"

    def places(self, program: Program) -> Iterator[Place]:
        final = program.final
        users = [step for step in final.steps if step.node.keyword == "USER"] if final is not None else []
        for step in users[-1:]:
            name = program.scope(step).expand(step.node.arguments[0].value, program.dockerfile.escape)
            if not isinstance(name, Unknown) and name != "root" and not name.partition(":")[0].isdigit():
                message = f"USER {name}: an engine that does not look names up needs a number"
                yield message, step.node.start, step.node.end


class CopyWithoutWorkdir(Advice, Pass):
    """Finds a COPY or ADD to a relative destination where no WORKDIR stands before it.

    Why: where the files come to lie, the base image says.
    """

    name = "copy-without-workdir"
    codes = ("DL3045",)
    triggers = ("copy", "add")
    example = "FROM debian:13\nCOPY app ."

    def places(self, program: Program) -> Iterator[Place]:
        settled: dict[int | None, bool] = {None: False}
        for stage in program.stages:
            known = settled[stage.parent]
            for step in stage.steps:
                node = step.node
                known = known or node.keyword == "WORKDIR"
                if known or node.keyword not in ("COPY", "ADD"):
                    continue
                target = node.arguments[-1].value.strip("\"'")
                if not target.startswith(("/", "$", "\\")) and not _WINDOWS.match(target):
                    yield f"{target} counts from the base image's working directory", node.start, node.end
            settled[stage.index] = known


class CopiedFilesystem(Advice, Pass):
    """Finds `COPY --from=STAGE / /`.

    Why: one layer with everything is shared with no other image, and links and owners of the base are written anew.
    """

    name = "copied-filesystem"
    codes = ("DL3067",)
    triggers = ("from=",)
    example = "FROM debian:13 AS build\nRUN touch /file\nFROM debian:13\nCOPY --from=build / /"

    def places(self, program: Program) -> Iterator[Place]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                if node.keyword == "COPY" and node.flag("from") is not None and node.arguments[0].value == "/":
                    yield "all files of another image in one layer", node.start, node.end


class ExposedSsh(Advice, Pass):
    """Finds EXPOSE of port 22.

    Why: a container with an SSH server has a second way in, whose keys and updates somebody has to look after;
    `docker exec` needs none.
    """

    name = "exposed-ssh"
    codes = ("CKV_DOCKER_1", "DS-0004")
    triggers = ("expose",)
    example = "FROM debian:13\nEXPOSE 22"

    def places(self, program: Program) -> Iterator[Place]:
        for stage in program.stages:
            for step in stage.steps:
                if step.effective.keyword == "EXPOSE":
                    for argument in step.effective.arguments:
                        if _SSH.match(argument.value):
                            span = step.effective.joined.span(argument.at, argument.stop)
                            yield "port 22 is SSH's: docker exec needs no server", *span
