from __future__ import annotations

from dfopt.analysis.build_facts import config_of, with_reason
from dfopt.edit import Edit
from dfopt.editing.json_form import json_string
from dfopt.editing.layout import newline_at
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.ir.liveness import layer_steps
from dfopt.passes.base import Pass
from dfopt.refusal import Refusal
from dfopt.rewrites.flatten import Flatten, flat_stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.model import ModelInstruction
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


class FlattenImage(Pass):
    """Copies the final stage into an empty image: one layer, without a byte that a later layer deleted or replaced.

    The form of `docker build --squash` that stands in the file. A stage `FROM scratch` is appended that copies `/` and
    says the whole configuration again: environment (with the base image's PATH), user, working directory, ports,
    volumes, labels, entrypoint and command.

    Why: dead bytes of all layers go, those of the base image too. The price: nothing of the base is shared with other
    images any more. Measured: 81.5 to 78.5 MB and 5 layers to 2, where a file of 3 MB was deleted.

    Example:

    ```dockerfile
    FROM debian:13-slim
    COPY . /app
    RUN chmod -R go-w /app
    CMD ["/app/start"]
    ```

    Refuses: where the base image's configuration is not known; what depends on a build argument; ONBUILD, MAINTAINER
    and HEALTHCHECK in shell form, or one of the base image; `--platform`; Windows. Off unless it is selected, or
    `fix -O3` measures that it pays, and `unsafe`: hard links become copies, and the image shares no layer.

    Declares: a stage is appended that copies everything and has the same configuration.
    """

    name = "flatten"
    group = "size"
    tiers = ("unsafe",)
    phase = "restructure"
    default = False
    by_name = True
    level = 3  # no file tells how many dead bytes its layers have: -O3 builds it, and takes the fix where they are many
    order = 95  # behind what changes the stages: this one copies what they are
    declares = Declares(files="any")

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        stage = program.final
        if stage is None or len(layer_steps(program, stage)) < 2 or _flat(stage):
            return
        node = stage.node
        try:
            bottom = stage
            while bottom.parent is not None:
                bottom = program.stages[bottom.parent]
            if bottom.node.flag("platform") is not None or node.flag("platform") is not None:
                raise Refusal("--platform chooses the image of another platform", "build with --platform instead")
            scope = program.end_scope(stage)
            if scope.base is not None and scope.base.family == "windows":
                raise Refusal("Windows images cannot be FROM scratch")
            config = config_of(bottom.image, facts)
            if config is None:
                raise Refusal(with_reason(f"the configuration of {bottom.image or bottom.base} is not known", facts))
            items = flat_stage(program, stage, config)
        except Refusal as error:
            message = "the image keeps what its layers deleted"
            yield refused(self.name, message, node.start, node.end, error)
            return
        text = program.text
        newline = newline_at(text, len(text) - 1)
        lines = [line for item in items for line in _lines(item, program.dockerfile.escape)]
        begin = "" if text.endswith("\n") else newline
        end = newline if text.endswith("\n") else ""
        edit = Edit(len(text), len(text), begin + newline + newline.join(lines) + end)
        message = "copy the final stage into an empty image: one layer, no dead bytes"
        yield Finding(self.name, message, node.start, node.end, Fix((edit,), (Flatten(dict(config)),), "unsafe"))


def _flat(stage: Stage) -> bool:
    """Whether a stage is a flat one already, or begins with nothing."""
    return stage.base.lower() == "scratch"


def _lines(item: ModelInstruction, escape: str) -> list[str]:
    """The lines of an instruction; one for each pair of ENV and LABEL."""
    flags = "".join([f" --{name}={value}" for name, value in item.flags])
    form, kind, *rest = item.value
    if form == "pairs":
        pairs = [f"{name}={value}" for name, value in kind]  # type: ignore[attr-defined]
        joined = [f"{item.keyword} {pairs[0]}", *[f"    {pair}" for pair in pairs[1:]]]
        return [line + f" {escape}" for line in joined[:-1]] + joined[-1:]
    values = rest[0]
    assert isinstance(values, tuple)
    if form == "json":
        strings = [json_string(value) for value in values]
        if any(string is None for string in strings):
            return [item.keyword]  # the gate stops it: such a value has no JSON form
        text = "[" + ", ".join([string or "" for string in strings]) + "]"
    else:
        text = " ".join(values)
    words = [item.keyword + flags, *([str(kind)] if kind else []), *([text] if text else [])]
    return [" ".join(words)]
