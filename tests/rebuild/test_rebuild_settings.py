"""From one config to another by instructions: BuildKit itself says what they set."""

from __future__ import annotations

from typing import Any

import pytest
from oracle_client import Oracle

from dfopt.rebuild.config_instructions import SCRATCH, ConfigInstructions

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONFIGS: dict[str, dict[str, Any]] = {
    "nothing": {"Env": [PATH]},
    "all": {
        "Env": ["PATH=/app:/bin", "A=1", "EMPTY=", "B=a b  c", 'C=say "hi"', "D=$HOME ${X:-y}", "E=back\\slash",
                "F='q'", "G=tab\there", "H=é 漢 😀", "I=#no comment", "J=a=b=c", "K=\\$x", "lower.case-name=1"],
        "Labels": {"one": "1", "a b": "c d", "quoted": '"x"', "dollar": "$x", "json": '{"a": ["b"]}', "empty": ""},
        "User": "1000:1000", "WorkingDir": "/srv/a b/$c", "Entrypoint": ["/bin/sh", "-c", 'echo "$0" \\ \n two'],
        "Cmd": ["a", "", "b c", "<<EOF", "é"], "Shell": ["/bin/bash", "-o", "pipefail", "-c"], "StopSignal": "SIGQUIT",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}}, "Volumes": {"/data": {}, "/a b": {}, "/$x\"'\\": {}},
        "Healthcheck": {"Test": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"], "Interval": 30 * 10**9,
                        "Timeout": 1_500_000_000, "StartPeriod": 5_000_000, "Retries": 3},
        "OnBuild": ["COPY . /app", "RUN make $x", 'CMD ["a"]'],
    },
    "health check of words": {"Env": [PATH], "Healthcheck": {"Test": ["CMD", "/probe", "--all tests"]}},
    "no health check": {"Env": [PATH], "Healthcheck": {"Test": ["NONE"]}},
    "only a CMD": {"Env": [PATH], "Cmd": ["/bin/sh"]},
}  # fmt: skip
KEYS = ("User", "WorkingDir", "Entrypoint", "Cmd", "Shell", "StopSignal", "Healthcheck", "ExposedPorts", "Volumes",
        "OnBuild", "Labels")  # fmt: skip


def flat(settings: dict[str, Any]) -> dict[str, Any]:
    found = {key: settings[key] for key in KEYS if settings.get(key)}
    if found.get("WorkingDir") == "/":
        del found["WorkingDir"]
    return {**found, "Env": dict(item.partition("=")[::2] for item in settings.get("Env") or ())}


@pytest.mark.parametrize("name", CONFIGS)
def test_buildkit_sets_what_was_wanted(name: str, oracle: Oracle) -> None:
    settings = ConfigInstructions(CONFIGS[name], SCRATCH)
    assert (settings.notes, settings.lost) == ([], [])
    text = "\n".join(["FROM scratch", *settings.instructions, "LABEL end=1"]) + "\n"
    answer = oracle.llb(text.encode())
    found = flat(answer["image"]["config"])
    assert found["Labels"].pop("end") == "1"
    wanted = flat(CONFIGS[name])
    assert found == {**wanted, "Labels": found["Labels"]}
    assert found["Labels"] == wanted.get("Labels", {})


def test_what_the_base_sets_already_is_not_said_again() -> None:
    base = {"Env": [PATH, "A=1"], "User": "app", "Cmd": ["x"], "Entrypoint": ["e"], "ExposedPorts": {"80/tcp": {}}}
    assert ConfigInstructions(base, base).instructions == []
    assert ConfigInstructions({**base, "Env": [PATH, "A=2"]}, base).instructions == ["ENV A=2"]
    assert ConfigInstructions({**base, "Entrypoint": ["f"]}, base).instructions == ['ENTRYPOINT ["f"]', 'CMD ["x"]']
    assert ConfigInstructions({**base, "Cmd": None}, base).instructions == ["CMD []"]


LOST = [
    pytest.param({"Env": ["A=1"]}, "the variable A", id="variable"),
    pytest.param({"Labels": {"a": "1"}}, "the label a", id="label"),
    pytest.param({"User": "app"}, "User", id="user"),
    pytest.param({"Shell": ["/bin/bash"]}, "Shell", id="shell"),
    pytest.param({"StopSignal": "SIGINT"}, "StopSignal", id="signal"),
    pytest.param({"Healthcheck": {"Test": ["NONE"]}}, "Healthcheck", id="health check"),
    pytest.param({"ExposedPorts": {"80/tcp": {}}}, "the port 80/tcp", id="port"),
    pytest.param({"Volumes": {"/data": {}}}, "the volume /data", id="volume"),
    pytest.param({"OnBuild": ["RUN x"]}, "ONBUILD triggers, which would fire again", id="triggers"),
]


@pytest.mark.parametrize(("base", "lost"), LOST)
def test_what_no_instruction_takes_away(base: dict[str, Any], lost: str) -> None:
    assert ConfigInstructions({}, base).lost == [lost]


def test_no_working_directory_is_the_root() -> None:
    settings = ConfigInstructions({}, {"WorkingDir": "/srv"})
    assert (settings.instructions, settings.lost) == (["WORKDIR /"], [])
    assert ConfigInstructions({"WorkingDir": "/"}, {}).instructions == ["WORKDIR /"]
    assert ConfigInstructions({"WorkingDir": ""}, {"WorkingDir": "/"}).instructions == []


NOT_KEPT = [
    pytest.param({"Env": ["A=1\n2"]}, id="line break in a variable"),
    pytest.param({"Env": ["A=\udcff"]}, id="variable that is no text"),
    pytest.param({"Env": ["=x"]}, id="variable without a name"),
    pytest.param({"Env": ["A B\nRUN x=1"]}, id="line break in a name"),
    pytest.param({"Labels": {"a": "1\nRUN evil"}}, id="line break in a label"),
    pytest.param({"User": "root\nRUN evil"}, id="line break in USER"),
    pytest.param({"WorkingDir": "/a\nRUN evil"}, id="line break in WORKDIR"),
    pytest.param({"WorkingDir": "relative"}, id="relative WORKDIR"),
    pytest.param({"StopSignal": "SIGTERM\nRUN evil"}, id="line break in STOPSIGNAL"),
    pytest.param({"ExposedPorts": {"80\nRUN evil": {}}}, id="line break in EXPOSE"),
    pytest.param({"Healthcheck": {"Test": ["CMD-SHELL", "a\nRUN evil"]}}, id="line break in HEALTHCHECK"),
    pytest.param({"Healthcheck": {"Test": ["CMD-SHELL", '["a"]']}}, id="a command that reads as JSON"),
    pytest.param({"Healthcheck": {"Interval": 5}}, id="health check without a command"),
    pytest.param({"OnBuild": ["COPY a b\nRUN evil"]}, id="line break in ONBUILD"),
    pytest.param({"OnBuild": ["RUN <<EOF"]}, id="heredoc in ONBUILD"),
    pytest.param({"OnBuild": ["FROM x"]}, id="no trigger"),
    pytest.param({"OnBuild": ["RUN a \\"]}, id="a line that goes on"),
    pytest.param({"Cmd": ["\udcff"]}, id="a word that is no text"),
    pytest.param({"StopTimeout": 5}, id="a key without an instruction"),
]


@pytest.mark.parametrize("wanted", NOT_KEPT)
def test_what_cannot_be_written_is_named(wanted: dict[str, Any]) -> None:
    settings = ConfigInstructions({"Env": [PATH], **wanted}, {"Env": [PATH]})
    assert settings.instructions == []
    assert len(settings.notes) + len(settings.lost) == (1 if "Env" not in wanted else 2)


@pytest.mark.parametrize("key", ["Env", "Labels", "User", "WorkingDir", "Entrypoint", "Cmd", "Shell", "StopSignal",
                                 "Healthcheck", "ExposedPorts", "Volumes", "OnBuild"])  # fmt: skip
@pytest.mark.parametrize(
    "value", [7, True, "text", ["x", 1, None, {"a": []}], {"a": [1], "Test": [1], "Interval": "x"}]
)
def test_values_of_other_shapes(key: str, value: object) -> None:
    settings = ConfigInstructions({key: value}, {})
    assert all("\n" not in text for text in (*settings.instructions, *settings.notes))
