"""Compose files as build targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.build_definitions.compose import read_compose
from dfopt.build_definitions.interpolation import InterpolationError, interpolate, read_env
from dfopt.build_definitions.model import BuildTarget, ContainerMount, DefinitionError, NotLiteral
from dfopt.build_definitions.yaml_nodes import plain_text
from dfopt.workspace.definitions import DefinitionFiles


def targets(tmp_path: Path, text: str, **files: str) -> dict[str, BuildTarget]:
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_yaml", ".yaml").replace("dotenv", ".env")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    found = read_compose(text, str(tmp_path / "compose.yaml"), DefinitionFiles(str(tmp_path)))
    return {target.name: target for target in found}


def test_a_path_alone_is_the_context(tmp_path: Path) -> None:
    web = targets(tmp_path, "services:\n  web:\n    build: ./web\n  db:\n    image: postgres\n")
    assert list(web) == ["web"]
    assert web["web"].context == str(tmp_path / "web")
    assert web["web"].dockerfile == str(tmp_path / "web/Dockerfile")
    assert (web["web"].line, web["web"].column) == (3, 12)


def test_every_field(tmp_path: Path) -> None:
    text = """
x-common: &common
  A: "1"
services:
  web:
    image: org/web:2
    user: "1000:1000"
    platform: linux/arm64
    ports: ["8080", "127.0.0.1:80:8081", 9000-9001:9000-9001/udp, {target: 443, published: "8443"}]
    volumes: [./src:/src:ro, data:/var/lib/data, /cache, {type: bind, source: ./x, target: /x, read_only: true}]
    build:
      context: .
      dockerfile: docker/web.Dockerfile
      target: prod
      args: {<<: *common, B: 0755, C: 18.10, D: yes, E: true}
      additional_contexts: [base=./base, "up=docker-image://debian:13", "other=service:db"]
      tags: [org/web:latest]
"""
    web = targets(tmp_path, text)["web"]
    assert web.dockerfile == str(tmp_path / "docker/web.Dockerfile")
    assert web.target == "prod"
    assert web.args == {"A": "1", "B": "493", "C": "18.1", "D": "yes", "E": "true"}
    assert web.contexts == {
        "base": str(tmp_path / "base"), "up": "docker-image://debian:13", "other": "service:db",
    }  # fmt: skip
    assert web.tags == ("org/web:2", "org/web:latest")
    assert web.user == "1000:1000"
    assert web.platforms == ("linux/arm64",)
    assert web.ports == ("8080/tcp", "8081/tcp", "9000/udp", "9001/udp", "443/tcp")
    assert web.mounts == (
        ContainerMount("bind", str(tmp_path / "src"), "/src", True),
        ContainerMount("volume", "data", "/var/lib/data"),
        ContainerMount("volume", "", "/cache"),
        ContainerMount("bind", str(tmp_path / "x"), "/x", True),
    )


def test_variables_come_from_the_env_file_and_from_defaults(tmp_path: Path) -> None:
    text = """
services:
  web:
    image: "org/web:${TAG}"
    build:
      context: ${DIR:-app}
      args: [VERSION, "X=$MISSING", "Y=$$HOME", "Z=${EMPTY:+set}${EMPTY-unset}"]
"""
    web = targets(tmp_path, text, dotenv="TAG=1.2 # now\nVERSION='a b'\nEMPTY=\n")["web"]
    assert web.tags == ("org/web:1.2",)
    assert web.context == str(tmp_path / "app")
    assert web.args == {
        "VERSION": "a b",
        "X": NotLiteral("$MISSING has no default and is not set in .env"),
        "Y": "$HOME",
        "Z": "",
    }


def test_what_is_not_known_is_said_with_its_reason(tmp_path: Path) -> None:
    text = "services:\n  web:\n    build: $WHERE\n    ports: ['${P}:80', '$Q']\n    volumes: ['${D}:/data:ro']\n"
    web = targets(tmp_path, text)["web"]
    why = NotLiteral("$WHERE has no default and is not set in .env")
    assert (web.context, web.dockerfile) == (why, why)
    assert web.ports == ("80/tcp", NotLiteral("$Q has no default and is not set in .env"))
    assert [(mount.target, mount.read_only) for mount in web.mounts] == [("/data", True)]


def test_extends_and_include(tmp_path: Path) -> None:
    text = """
include: [parts/db_yaml]
services:
  web:
    extends: {file: parts/base_yaml, service: app}
    build: {target: prod, args: {B: own}}
    ports: ["81"]
"""
    found = targets(
        tmp_path,
        text.replace("_yaml", ".yaml"),
        parts__base_yaml="services:\n  app:\n    build: {context: app, args: {A: base, B: base}}\n    ports: ['80']\n",
        parts__db_yaml="services:\n  db:\n    build: db\n",
    )
    assert found["web"].context == str(tmp_path / "parts/app")
    assert found["web"].args == {"A": "base", "B": "own"}
    assert found["web"].ports == ("80/tcp", "81/tcp")
    assert found["db"].dockerfile == str(tmp_path / "parts/db/Dockerfile")


def test_a_dockerfile_takes_the_place_of_an_inline_one(tmp_path: Path) -> None:
    text = """
services:
  base:
    build: {dockerfile_inline: "FROM debian"}
  web:
    extends: base
    build: {dockerfile: own.Dockerfile}
"""
    found = targets(tmp_path, text)
    assert (found["base"].inline, found["base"].dockerfile) == ("FROM debian", None)
    assert (found["web"].inline, found["web"].dockerfile) == (None, str(tmp_path / "own.Dockerfile"))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        pytest.param("services:\n  web: [", (2, 9), "not YAML", id="no YAML"),
        pytest.param("services: 3\n", (1, 11), "services is no mapping", id="services"),
        pytest.param("services:\n  web:\n    build: [a]\n", (3, 12), "neither a path nor a mapping", id="build"),
        pytest.param("services:\n  web:\n    build: ${a\n", (3, 12), "${a has no end", id="variable"),
        pytest.param("services:\n  web: {extends: web}\n", (2, 8), "extends itself", id="circle"),
        pytest.param("services:\n  web: {extends: nobody}\n", (2, 18), "no service nobody", id="nobody"),
        pytest.param("services:\n  web: {ports: [x]}\n", (2, 17), '"x" is no port', id="port"),
        pytest.param("include: [../x.yaml]\n", (1, 11), "outside of the repository", id="out of the tree"),
        pytest.param("a: &a [*a]\n", (1, 4), "an alias of what holds it", id="alias of itself"),
        pytest.param("a: " + "[" * 100 + "]" * 100, (1, 68), "nested too deeply", id="deep"),
        pytest.param("a: " + "[" * 9000 + "]" * 9000, (1, 68), "nested too deeply", id="very deep"),
    ],
)
def test_errors_have_a_place(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(DefinitionError) as failure:
        targets(tmp_path, text)
    assert message in failure.value.message
    assert (failure.value.line, failure.value.column) == place


def test_a_bomb_of_aliases_costs_what_its_text_costs(tmp_path: Path) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40))
    merged = "".join(f"m{n}: &m{n}\n  <<: [{', '.join([f'*m{n - 1}'] * 9)}]\n" for n in range(1, 40))
    text = f"l0: &l0 x\n{levels}m0: &m0 {{A: b}}\n{merged}services:\n  web: {{build: {{context: ., args: *m39}}}}\n"
    assert targets(tmp_path, text)["web"].args == {"A": "b"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a$$b", "a$b", id="dollar"),
        pytest.param("${A}-$B", "1-", id="set and empty"),
        pytest.param("${B:-x}${B-y}", "x", id="empty is unset with a colon"),
        pytest.param("${C:-${A}}", "1", id="nested"),
        pytest.param("${A:+y}${C:+n}", "y", id="alternative"),
        pytest.param("${A:?why}", "1", id="required and there"),
        pytest.param("$(date) $- $1 $", "$(date) $- $1 $", id="dollars that stand for themselves"),
    ],
)
def test_interpolation(text: str, value: str) -> None:
    assert interpolate(text, {"A": "1", "B": ""}) == value


@pytest.mark.parametrize("text", ["${", "${A", "${1}", "${A:-${B}", "x\ny ${-}", "${A:-" * 9000])
def test_no_interpolation(text: str) -> None:
    with pytest.raises(InterpolationError):
        interpolate(text, {"A": ""})


def test_env_file() -> None:
    text = '# c\nexport A=1\nB="x\\ny $A"\nC=\'$A\'\nD = ${A}2 # c\nE=a#b\n\nF: 3\nbad line\nG="open\n'
    values = read_env(text)
    assert values.pop("G") == NotLiteral("G in .env has no closing quote")
    assert values == {"A": "1", "B": "x\ny 1", "C": "$A", "D": "12", "E": "a#b", "F": "3"}


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ("8080", "8080"), ("0x10", "16"), ("1_000", "1000"), ("1.0", "1"), ("1e3", "1000"), ("1.5e30", "1.5e+30"),
        ("True", "true"), ("~", None), ("1.2.3", "1.2.3"), ("22:22", "22:22"), ("089", "89"),
    ],
)  # fmt: skip
def test_plain_scalars_are_printed_as_go_prints_them(plain: str, text: str | None) -> None:
    assert plain_text(plain) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('A="' + '\\"\n' * 60_000, NotLiteral("A in .env has no closing quote"), id="no closing quote"),
        pytest.param("A=a" + " " * 300_000 + "b", "a" + " " * 300_000 + "b", id="blanks"),
        pytest.param("A='one\ntwo' # behind\nB=2", "one\ntwo", id="two lines"),
    ],
)
def test_env_files_are_read_once(text: str, expected: str | NotLiteral) -> None:
    assert read_env(text)["A"] == expected
