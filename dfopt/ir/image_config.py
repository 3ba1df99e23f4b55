"""The image config that a stage makes, as far as the file tells it.

Rules: BuildKit frontend/dockerfile/dockerfile2llb/convert.go. What the base image brings is not in the file: fields
that no instruction sets are None, and `env` holds only what the file sets.
"""

from __future__ import annotations

from dfopt.ir.scopes import Scope
from dfopt.record import Record
from dfopt.syntax.expand import ExpansionError, Unknown, expand_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class ImageConfig(Record):
    """The config of an image. A command is its argv, with the shell in front where it was in shell form; a value that
    depends on something unknown is UNKNOWN. `cmd` is () where ENTRYPOINT took away the one of the base image."""

    env: dict[str, str | Unknown]
    user: str | Unknown | None
    workdir: str | Unknown
    cmd: tuple[str, ...] | Unknown | None
    entrypoint: tuple[str, ...] | Unknown | None
    ports: tuple[str | Unknown, ...]
    volumes: tuple[str | Unknown, ...]
    labels: dict[str, str | Unknown]
    stop_signal: str | Unknown | None
    shell: tuple[str, ...] | None
    healthcheck: tuple[str, ...] | Unknown | None
    onbuild: tuple[str, ...]


def image_config(program: Program, stage: Stage) -> ImageConfig:
    """The config of an image of `stage` (computed once; callers must not mutate it)."""
    return program.once(("image config", stage.index), _image_config, program, stage)


def _image_config(program: Program, stage: Stage) -> ImageConfig:
    reader = _Reader(program)
    reader.stage(stage)
    scope = program.end_scope(stage)
    return ImageConfig(
        dict(scope.env), scope.user, scope.workdir, reader.cmd, reader.entrypoint, tuple(dict.fromkeys(reader.ports)),
        tuple(dict.fromkeys(reader.volumes)), reader.labels, reader.stop_signal,
        scope.shell if scope.shell_set else None, reader.healthcheck, tuple(reader.onbuild),
    )  # fmt: skip


class _Reader:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.cmd: tuple[str, ...] | Unknown | None = None
        self.entrypoint: tuple[str, ...] | Unknown | None = None
        self.ports: list[str | Unknown] = []
        self.volumes: list[str | Unknown] = []
        self.labels: dict[str, str | Unknown] = {}
        self.stop_signal: str | Unknown | None = None
        self.healthcheck: tuple[str, ...] | Unknown | None = None
        self.onbuild: list[str] = []

    def stage(self, stage: Stage) -> None:
        stages = [stage]
        while stage.parent is not None:
            stage = self.program.stages[stage.parent]
            stages.append(stage)
        for stage in reversed(stages):
            self.onbuild = []  # triggers of a parent fire here; what they do is not followed
            own_cmd = False  # an ENTRYPOINT takes away only a CMD that this stage did not set
            for step in stage.steps:
                self.step(step)
                if step.node.keyword == "CMD":
                    own_cmd = True
                elif step.node.keyword == "ENTRYPOINT" and not own_cmd:
                    self.cmd = ()

    def step(self, step: Step) -> None:
        node = step.node
        scope = self.program.scope(step)
        escape = self.program.dockerfile.escape
        if node.keyword == "CMD":
            self.cmd = _argv(step, scope)
        elif node.keyword == "ENTRYPOINT":
            self.entrypoint = _argv(step, scope)
        elif node.keyword == "HEALTHCHECK":
            if node.kind.upper() == "NONE":
                self.healthcheck = ("NONE",)
            elif node.form == "json":
                self.healthcheck = ("CMD", *[argument.value for argument in node.arguments])
            else:
                self.healthcheck = ("CMD-SHELL", node.arguments[0].value)
        elif node.keyword == "EXPOSE":
            for argument in node.arguments:
                self.ports += self.words(scope, argument.value)
        elif node.keyword == "VOLUME":
            self.volumes += [scope.expand(argument.value, escape) for argument in node.arguments]
        elif node.keyword == "LABEL":
            for pair in node.pairs:
                name = scope.expand(pair.name, escape)
                if isinstance(name, str):
                    self.labels[name] = scope.expand(pair.value or "", escape)
        elif node.keyword == "STOPSIGNAL":
            self.stop_signal = scope.expand(node.arguments[0].value, escape)
        elif node.keyword == "ONBUILD":
            self.onbuild.append(node.joined.text[node.nested.keyword_at if node.nested else node.at : node.stop])

    def words(self, scope: Scope, word: str) -> list[str | Unknown]:
        """EXPOSE splits its words again after expansion."""
        try:
            return list(expand_words(word, scope.variables(), escape=self.program.dockerfile.escape))
        except ExpansionError:
            return []


def _argv(step: Step, scope: Scope) -> tuple[str, ...] | Unknown:
    from dfopt.syntax.expand import UNKNOWN

    node = step.node
    values = tuple([argument.value for argument in node.arguments])
    if node.form in ("json", "none"):
        return values
    return UNKNOWN if scope.shell is None else (*scope.shell, *values)
