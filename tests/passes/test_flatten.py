"""flatten: the stage that it appends has the configuration of the one that it copies, read by the project's own reader
of configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dfopt.facts import Facts
from dfopt.ir.image_config import ImageConfig, image_config
from dfopt.ir.program import Program
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.refusal import Refusal
from dfopt.rewrites.flatten import quoted
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.expand import expand_word

BASE: dict[str, Any] = {
    "Env": ["PATH=/opt/bin:/bin", "LANG=C.UTF-8"],
    "Cmd": ["run", "it"],
    "Entrypoint": ["/entry"],
    "WorkingDir": "/srv",
    "User": "7",
    "Labels": {"a": 'b "c" $d'},
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGQUIT",
    "Shell": ["/bin/bash", "-c"],
}


class Known(Facts):
    __slots__ = ()

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        return BASE


def flat(text: str) -> ImageConfig:
    result = optimize(Source("Dockerfile", text), Options(("flatten",), (), ("unsafe",)), Known())
    assert result.changed, result.reported
    program = Program(parse(result.output))
    assert program.final is not None
    assert program.final.base == "scratch"
    return image_config(program, program.final)


def test_everything_of_the_base() -> None:
    found = flat("FROM x\nRUN a\nRUN b\n")
    assert found.env == {"PATH": "/opt/bin:/bin", "LANG": "C.UTF-8"}
    assert (found.cmd, found.entrypoint) == (("run", "it"), ("/entry",))
    assert (found.workdir, found.user, found.stop_signal) == ("/srv", "7", "SIGQUIT")
    assert (found.labels, found.ports, found.volumes) == ({"a": 'b "c" $d'}, ("80/tcp",), ("/data",))
    assert found.shell == ("/bin/bash", "-c")


def test_the_file_wins() -> None:
    found = flat(
        'FROM x\nENV LANG=de PATH=$PATH:/x\nWORKDIR sub\nUSER app\nLABEL a=1 e="f g"\nEXPOSE 81\nVOLUME /more\n'
        'STOPSIGNAL 9\nSHELL ["/bin/sh", "-e", "-c"]\nENTRYPOINT ["/own"]\nRUN a\n'
    )
    assert found.env == {"PATH": "/opt/bin:/bin:/x", "LANG": "de"}
    assert (found.cmd, found.entrypoint) == ((), ("/own",))  # an ENTRYPOINT takes the base image's CMD away
    assert (found.workdir, found.user, found.stop_signal) == ("/srv/sub", "app", "9")
    assert (found.labels, found.ports, found.volumes) == ({"a": "1", "e": "f g"}, ("80/tcp", "81"), ("/data", "/more"))
    assert found.shell == ("/bin/sh", "-e", "-c")


def test_env_of_one_instruction_sees_the_state_before() -> None:
    assert flat("FROM x\nENV A=1\nENV A=2 B=$A\nRUN a\n").env["B"] == "1"


VALUES = [
    "",
    "plain",
    "a b",
    'say "x"',
    "cost $5",
    "back\\slash",
    "tab\there",
    "ü",
    "`tick`",
    "'single'",
    "#hash",
    "=a=b",
]


@pytest.mark.parametrize("escape", ["\\", "`"])
@pytest.mark.parametrize("value", VALUES)
def test_quoted(value: str, escape: str) -> None:
    assert expand_word(quoted(value, escape), {}, escape=escape) == value


def test_line_break() -> None:
    with pytest.raises(Refusal):
        quoted("a\nb", "\\")
