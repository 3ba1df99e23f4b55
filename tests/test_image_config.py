"""The image config that dfopt reads off a file, against the one that BuildKit makes of it on an empty base image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oracle_client import Oracle

from dfopt.ir.base_images import base_workdir
from dfopt.ir.image_config import ImageConfig, image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.program import Program
from dfopt.ir.scopes import DEFAULT_SHELL
from dfopt.source import decode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.expand import Unknown
from dfopt.syntax.tree import DockerfileError
from dfopt.testing import golden
from dfopt.testing.discovery import find

HERE = Path(__file__).parent
FILES = {f"adversarial/{path.name}": path.read_bytes() for path in sorted((HERE / "cases" / "adversarial").iterdir())}
FILES.update({files.name: golden.source_of(files).to_bytes() for files in find(HERE.parent / "golden")})

OWN = """FROM scratch AS base
ENV A=1 B=two
LABEL one=1
ENTRYPOINT ["/a"]
CMD ["b"]
FROM base AS middle
ENV C=$A
ENTRYPOINT run $C
EXPOSE 80 443/udp $A
VOLUME /data ["/not",json
FROM middle
SHELL ["/bin/bash", "-c"]
CMD go
WORKDIR /srv
WORKDIR app
USER 1000:1000
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s CMD curl -f localhost
LABEL two="a b" one=3
ONBUILD RUN make
"""


def ours(config: ImageConfig) -> dict[str, Any]:
    """The fields that the file alone determines; UNKNOWN ones are left out."""
    found: dict[str, Any] = {
        "Entrypoint": config.entrypoint, "Cmd": config.cmd, "User": config.user, "StopSignal": config.stop_signal,
        "Labels": config.labels, "Volumes": config.volumes, "Shell": config.shell, "WorkingDir": config.workdir,
        "Healthcheck": config.healthcheck, "OnBuild": config.onbuild,
    }  # fmt: skip
    return {key: value for key, value in found.items() if not _unknown(value)}


def _unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(one, Unknown) for one in value.values())
    if isinstance(value, tuple):
        return any(isinstance(one, Unknown) for one in value)
    return isinstance(value, Unknown)


def brought_shell(program: Program) -> bool:
    """Whether shell-form commands run in a shell that the base image is known to set."""
    return any(
        program.scope(step).shell != DEFAULT_SHELL and not program.scope(step).shell_set
        for stage in program.stages
        for step in stage.steps
    )


def brought_workdir(program: Program) -> bool:
    """Whether the image's working directory comes, wholly or in part, from a base image that is known to set one."""
    assert program.final is not None
    if base_workdir(program.root(program.final).image) is None:
        return False
    words = [
        step.node.arguments[0].value for step in layer_steps(program, program.final) if step.node.keyword == "WORKDIR"
    ]
    return not any(word.startswith("/") for word in words)


def normal(key: str, value: Any) -> Any:
    """A field's value as both sides can be compared; bytes that are no UTF-8 come back from BuildKit as U+FFFD."""
    if isinstance(value, tuple):
        value = [one.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for one in value]
    if key == "Volumes":
        return sorted(value or ())
    if key == "Healthcheck":
        return list(value.get("Test") or ()) if isinstance(value, dict) else list(value or ())
    if key in ("Cmd", "Entrypoint", "Shell", "OnBuild"):
        return list(value or ())
    return value or ({} if key == "Labels" else "")


def check(oracle: Oracle, data: bytes) -> int:
    text = decode(data)
    try:
        program = Program(parse(text))
    except DockerfileError:
        return 0
    answer = oracle.llb(data)
    if "err" in answer or program.final is None:
        return 0
    config = image_config(program, program.final)
    theirs = answer["image"]["config"]
    if brought_shell(program):  # the table knows of a shell in the real base image; the empty one has none
        return 0
    fields = ours(config)
    if brought_workdir(program):  # likewise
        fields.pop("WorkingDir", None)
    for key, value in fields.items():
        assert normal(key, value) == normal(key, theirs.get(key)), key
    env = dict(item.partition("=")[::2] for item in theirs.get("Env") or ())
    for name, content in config.env.items():
        if not isinstance(content, Unknown):
            assert env[name] == content.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return 1


@pytest.mark.parametrize("name", FILES)
def test_same_config(oracle: Oracle, name: str) -> None:
    check(oracle, FILES[name])


def test_own_file(oracle: Oracle) -> None:
    assert check(oracle, OWN.encode()) == 1
