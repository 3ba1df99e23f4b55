"""The declared rewrite that copies a whole final stage into an empty one, and the image config as instructions.

Rules: BuildKit frontend/dockerfile/dockerfile2llb (convert.go, image.go): an image FROM scratch begins with the default
PATH and nothing else; what COPY brings is one layer.
"""

from __future__ import annotations

import re

from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.model import ModelInstruction
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.syntax.expand import ExpansionError, Unknown, expand_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Model

_PLAIN = regex(r"[\w./:@%+,=~-]+")
_NAME = regex(r"[A-Za-z_][\w.-]*")


class Flatten(Rewrite):
    """A stage `FROM scratch` is appended that copies all files of the final stage and says its whole config.

    `base`: the config of the image that the final stage is built on, a fact from outside.
    """

    base: Mapping[str, Any]

    def claim(self) -> Claim:
        return Claim(frozenset(), False)

    def apply(self, model: Model) -> None:
        stage = model.program.final
        if stage is None or len(model.items) != len(model.program.dockerfile.instructions):
            raise Refusal("the file has no final stage, or changes at the same time")
        model.tail += flat_stage(model.program, stage, self.base)


def flat_stage(program: Program, stage: Stage, base: Mapping[str, Any]) -> list[ModelInstruction]:
    """The instructions of the flat stage. Raises Refusal where a setting is not known or cannot be written."""
    for step in layer_steps(program, stage):
        if step.node.keyword in ("MAINTAINER", "ONBUILD") and step.stage == stage.index:
            raise Refusal(f"line {step.node.line}: {step.node.keyword} would be lost")
    if base.get("Healthcheck"):
        raise Refusal("the base image brings a HEALTHCHECK")
    config = image_config(program, stage)
    escape = program.dockerfile.escape
    items = [ModelInstruction(-1, "FROM", (), ("list", "", ("scratch",)))]
    reference = stage.name or str(stage.index)
    items.append(ModelInstruction(-1, "COPY", (("from", reference),), ("list", "", ("/", "/"))))
    env, workdir = environment(program, stage, base)
    if "PATH" not in env:
        raise Refusal("the base image sets no PATH, and an empty stage does")
    items.append(ModelInstruction(-1, "ENV", (), ("pairs", _pairs(env, escape))))
    labels = {**(base.get("Labels") or {}), **config.labels}
    if labels:
        items.append(ModelInstruction(-1, "LABEL", (), ("pairs", _pairs(labels, escape))))
    ports = [*(base.get("ExposedPorts") or ()), *config.ports]
    if ports:
        items.append(ModelInstruction(-1, "EXPOSE", (), ("list", "", _plain(ports, "a port"))))
    volumes = [*(base.get("Volumes") or ()), *config.volumes]
    if volumes:
        items.append(ModelInstruction(-1, "VOLUME", (), ("json", "", _plain(volumes, "a volume"))))
    if workdir not in ("", "/"):
        items.append(ModelInstruction(-1, "WORKDIR", (), ("text", "", _plain([workdir], "the working directory"))))
    user = config.user if config.user is not None else base.get("User") or ""
    if user != "":
        items.append(ModelInstruction(-1, "USER", (), ("text", "", _plain([user], "the user"))))
    signal = config.stop_signal if config.stop_signal is not None else base.get("StopSignal") or ""
    if signal != "":
        items.append(ModelInstruction(-1, "STOPSIGNAL", (), ("text", "", _plain([signal], "the stop signal"))))
    shell = config.shell if config.shell is not None else tuple(base.get("Shell") or ())
    if shell:
        items.append(ModelInstruction(-1, "SHELL", (), ("json", "", shell)))
    items += _healthcheck(program, stage)
    entrypoint = config.entrypoint if config.entrypoint is not None else tuple(base.get("Entrypoint") or ())
    cmd = config.cmd if config.cmd is not None else tuple(base.get("Cmd") or ())
    for keyword, argv in (("ENTRYPOINT", entrypoint), ("CMD", cmd)):
        if isinstance(argv, Unknown):
            raise Refusal(f"the shell of {keyword} is not known")
        if argv:
            items.append(ModelInstruction(-1, keyword, (), ("json", "", tuple(argv))))
    return items


def environment(program: Program, stage: Stage, base: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Environment and working directory of the final image. Raises Refusal where a value is not known."""
    env: dict[str, str] = {}
    for entry in base.get("Env") or ():
        name, _, value = str(entry).partition("=")
        env[name] = value
    args: set[str] = set()
    workdir: str | Unknown = base.get("WorkingDir") or "/"
    for step in layer_steps(program, stage):
        if step.node.keyword == "ARG":
            args.update(pair.name for pair in step.node.pairs)
        if step.node.keyword not in ("ENV", "WORKDIR"):
            continue
        before = dict(env)
        for name in re.findall(r"\$\{?(\w+)", step.node.body):
            if name in args and name not in before:
                raise Refusal(f"line {step.node.line} depends on the build argument {name}")
        try:
            for pair in step.node.pairs:
                name = expand_word(pair.name, before, escape=program.dockerfile.escape)
                env[name] = expand_word(pair.value or "", before, escape=program.dockerfile.escape)
            if step.node.keyword == "WORKDIR":
                word = expand_word(step.node.arguments[0].value, before, escape=program.dockerfile.escape)
                workdir = join_path(workdir, word)
        except ExpansionError as error:
            raise Refusal(f"line {step.node.line}: {error}") from None
    return env, str(workdir)


def _pairs(values: Mapping[str, object], escape: str) -> tuple[tuple[str, str], ...]:
    return tuple([(_name(name), quoted(value, escape)) for name, value in values.items()])


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Refusal(f"the name {name} cannot be written plainly")
    return name


def quoted(value: object, escape: str) -> str:
    """A value in double quotes, that expands to itself. Raises Refusal where there is no such spelling."""
    if not isinstance(value, str) or "\n" in value or "\r" in value:
        raise Refusal("a value is not known, or holds a line break")
    if _PLAIN.fullmatch(value):
        return value
    text = '"' + "".join([escape + char if char in ('"', "$", escape) else char for char in value]) + '"'
    if expand_word(text, {}, escape=escape) != value:
        raise Refusal("a value cannot be written down")
    return text


def _plain(values: list[Any], what: str) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            raise Refusal(f"{what} is not known, or not plain")
    return tuple(dict.fromkeys(values))


def _healthcheck(program: Program, stage: Stage) -> list[ModelInstruction]:
    """The last HEALTHCHECK of the file, in JSON form with its flags."""
    for step in reversed(layer_steps(program, stage)):
        node = step.node
        if node.keyword != "HEALTHCHECK":
            continue
        if node.kind.upper() == "NONE":
            return [ModelInstruction(-1, "HEALTHCHECK", (), ("none", "NONE", ()))]
        if node.form != "json":
            raise Refusal(f"line {node.line}: a HEALTHCHECK in shell form depends on the shell")
        flags = tuple([(flag.name, flag.value) for flag in node.flags])
        return [
            ModelInstruction(-1, "HEALTHCHECK", flags, ("json", "CMD", tuple([word.value for word in node.arguments])))
        ]
    return []
