"""What the package cache passes take a command for: manager, subcommand, environment, mounts, later readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dfopt.analysis.cache_readers import cache_reader, index_reader, is_mounted
from dfopt.analysis.package_managers import Tool, tools, variable
from dfopt.facts import NO_FACTS, Facts
from dfopt.ir.program import Program
from dfopt.ir.stages import Step
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.expand import UNKNOWN


def program(text: str) -> Program:
    return Program(parse(text))


def last_step(made: Program) -> Step:
    return made.stages[-1].steps[-1]


def called(command: str) -> list[Tool]:
    made = program(f"FROM debian:13\nRUN {command}\n")
    return list(tools(made, last_step(made)))


TOOLS: list[tuple[str, list[tuple[str, str, str | None]]]] = [
    ("echo pip install x", []),
    ("python -c 'import pip' install", []),
    ("python -m venv /venv", []),
    ("python setup.py install", []),
    ("python -m $MODULE install", []),
    ("php script.php install", []),
    ("php -v", []),
    ("apt-get install -y x", [("apt", "apt-get", "install")]),
    ("apt-get -o Dpkg::Use-Pty=0 install x", [("apt", "apt-get", "install")]),
    ("apt-get $OPTIONS install x", [("apt", "apt-get", None)]),
    ("apt-get", [("apt", "apt-get", "")]),
    ("sudo -E /usr/bin/apt-get update", [("apt", "apt-get", "update")]),
    ("pip3.11 -q install x", [("pip", "pip3.11", "install")]),
    ("python3 -m pip install x", [("pip", "python3 -m pip", "install")]),
    ("python3.12 -u -m pip --no-color wheel x", [("pip", "python3.12 -m pip", "wheel")]),
    ("uv pip install x", [("uv", "uv", "pip install")]),
    ("uv --quiet pip --verbose sync x", [("uv", "uv", "pip sync")]),
    ("uv sync", [("uv", "uv", "sync")]),
    ("uv pip $WHAT x", [("uv", "uv", None)]),
    ("uv pip", [("uv", "uv", "pip")]),
    ("yarn", [("yarn", "yarn", "")]),
    ("yarn --cwd /app install", [("yarn", "yarn", "install")]),
    ("yarn global add serve", [("yarn", "yarn", "global add")]),
    ("npm --prefix client ci", [("npm", "npm", "ci")]),
    ("conda env create -f e.yml", [("conda", "conda", "env create")]),
    ("php -d memory_limit=-1 /usr/bin/composer install", [("composer", "php /usr/bin/composer", "install")]),
    ("php composer.phar global require x", [("composer", "php composer.phar", "global require")]),
    ("go mod download", [("go", "go", "mod download")]),
    ("a && (npm ci) || x=$(pip download y)", [("npm", "npm", "ci"), ("pip", "pip", "download")]),
    ("sh -c 'dnf install -y x'", [("dnf", "dnf", "install")]),
]


@pytest.mark.parametrize(("command", "expected"), TOOLS, ids=[row[0] for row in TOOLS])
def test_tools(command: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(tool.family, tool.label, tool.name) for tool in called(command)] == expected


def test_the_word_of_the_subcommand() -> None:
    (tool,) = called("sudo uv --quiet pip install x")
    assert tool.invocation.words[tool.at].value == "install"


class BaseEnvironment(Facts):
    """A base image whose config sets one variable."""

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        return {"Env": ["PATH=/usr/bin", "X=base"]} if image == "registry.example/x" else {"Env": None}


VARIABLES: list[tuple[str, object]] = [
    ("FROM debian:13\nRUN pip install y", None),
    ("FROM debian:13\nENV X=\nRUN pip install y", ""),
    ("FROM debian:13\nENV X=1\nRUN pip install y", "1"),
    ("FROM debian:13\nENV X=$UNSEEN\nRUN pip install y", UNKNOWN),
    ("FROM debian:13\nARG X\nRUN pip install y", UNKNOWN),
    ("FROM debian:13\nARG X=1\nRUN pip install y", UNKNOWN),
    ("FROM debian:13\nENV X=1\nRUN X=2 pip install y", "2"),
    ("FROM debian:13\nENV X=1\nRUN X=$Y pip install y", UNKNOWN),
    ("FROM debian:13\nENV X=1\nRUN env X=3 pip install y", "3"),
    ("FROM debian:13\nRUN export X=4 && pip install y", UNKNOWN),
    ("FROM debian:13\nRUN export XX=4 && pip install $X=4", None),
    ("FROM registry.example/x\nRUN pip install y", "base"),
    ("FROM registry.example/x\nENV X=own\nRUN pip install y", "own"),
    ("FROM debian:13 AS a\nENV X=1\nFROM a\nRUN pip install y", "1"),
]


@pytest.mark.parametrize(("text", "expected"), VARIABLES, ids=[row[0].replace("\n", " | ") for row in VARIABLES])
def test_variable(text: str, expected: object) -> None:
    made = program(text)
    step = last_step(made)
    one = next(tool.invocation for tool in tools(made, step) if tool.family == "pip")
    assert variable(made, step, BaseEnvironment(), "X", one) == expected
    assert variable(made, step, NO_FACTS, "OTHER", one) is None


NPM = ("~/.npm",)
MOUNTS: list[tuple[str, tuple[str, ...], bool]] = [
    ("", NPM, False),
    ("--mount=type=cache,target=/srv", NPM, False),
    ("--mount=type=bind,target=/root/.npmrc", NPM, False),
    ("--mount=type=cache,target=/root/.npm", NPM, True),
    ("--mount=type=cache,target=/root/.npm/", NPM, True),
    ("--mount=type=cache,target=/root", NPM, True),
    ("--mount=type=cache,target=/home/node/.npm,uid=1000", NPM, True),
    ("--mount=type=tmpfs,target=/root/.npm", NPM, True),
    ("--mount=type=bind,target=/srv/npm", NPM, False),
    ("--mount=type=cache,target=/srv/npm", NPM, True),
    ("--mount=type=cache,target=$DIR", ("/data",), True),
    ("--mount=type=cache,target=/root/.cache", ("~/.cache/pip",), True),
    ("--mount=type=cache,target=/root/.cache/uv", ("~/.cache/pip",), False),
    ("--mount=type=cache,dst=/var/cache", ("/var/cache/dnf",), True),
    ("--mount=type=cache,target=/var/cache/dnf/x", ("/var/cache/dnf",), False),
    ("--mount=type=secret,id=x --mount=type=cache,target=/root/.npm", NPM, True),
]


@pytest.mark.parametrize(("flags", "paths", "expected"), MOUNTS, ids=[f"{row[0]} {row[1]}" for row in MOUNTS])
def test_mounted(flags: str, paths: tuple[str, ...], expected: bool) -> None:
    made = program(f"FROM debian:13\nENV DIR=/data\nRUN {flags} npm ci\n")
    assert is_mounted(made, last_step(made), paths, "npm") is expected


# line of the step that reads what the first `npm ci` leaves, 0 for none
READERS: list[tuple[str, str, int]] = [
    ("nothing", "RUN npm test\nCMD npm start", 0),
    ("another installation", "RUN npm ci", 0),
    ("offline", "RUN npm ci --offline", 3),
    ("offline in a branch", "RUN if true; then npm i --prefer-offline; fi", 3),
    ("another manager offline", "RUN yarn --offline", 0),
    ("no network", "RUN --network=none npm ci", 3),
    ("no network for something else", "RUN --network=none make", 0),
    ("its path", "RUN ls /root/.npm", 3),
    ("a path that looks alike", "COPY .npmrc /root/.npmrc", 0),
    ("deleted", "RUN rm -rf /root/.npm && echo done", 0),
    ("deleted, and its path", "RUN rm -rf /root/.npm; mkdir /root/.npm", 3),
    ("deleted strictly", "RUN rm -r /root/.npm", 3),
    ("a volume", "VOLUME /root/.npm", 3),
    ("offline in the image's command", 'CMD ["npm", "start", "--offline"]', 3),
    ("copied out", "FROM debian:13\nCOPY --from=a /root/.npm /x", 4),
    ("a parent directory copied out", "FROM debian:13\nCOPY --from=a /root /x", 4),
    ("everything copied out", "FROM scratch\nCOPY --from=a / /", 0),
    ("something else copied out", "FROM scratch\nCOPY --from=a /app /", 0),
    ("copied out of a child", "FROM a AS b\nFROM scratch\nCOPY --from=b /root/.npm /", 5),
    ("mounted", "FROM debian:13\nRUN --mount=from=a,source=/root/.npm,target=/x ls /x", 4),
    ("child stage", "FROM a\nRUN npm ci --offline", 4),
    ("another stage", "FROM debian:13\nRUN npm ci --offline", 0),
]


@pytest.mark.parametrize(("text", "line"), [row[1:] for row in READERS], ids=[row[0] for row in READERS])
def test_cache_reader(text: str, line: int) -> None:
    made = program(f"FROM debian:13 AS a\nRUN npm ci\n{text}\n")
    stage = made.stages[0]
    (tool,) = tools(made, stage.steps[0])
    found = cache_reader(made, stage, 0, tool)
    assert (found.node.line if found is not None else 0) == line


def test_cache_reader_by_keyword() -> None:
    made = program("FROM golang:1.25\nRUN go build .\nRUN go clean -cache\nRUN go vet .\n")
    stage = made.stages[0]
    (tool,) = tools(made, stage.steps[0])
    assert cache_reader(made, stage, 0, tool) is None
    found = cache_reader(made, stage, 0, tool, ("RUN",))
    assert found is not None
    assert found.node.line == 4


INDEX: list[tuple[str, str, int, int]] = [
    ("nothing", "RUN echo done", 0, 0),
    ("installs", "RUN apt-get install -y x", 3, 0),
    ("refreshes", "RUN apt-get update && apt-get install -y x", 0, 0),
    ("refreshes on a condition", "RUN if true; then apt-get update; fi; apt-get install -y x", 3, 0),
    ("script", "RUN ./setup.sh", 0, 3),
    ("script, then installs", "RUN ./setup.sh\nRUN apt-get install -y x", 4, 3),
    ("child", "FROM a\nRUN apt-get install -y x", 4, 0),
    ("another family", "RUN dnf install -y x", 0, 0),
]


@pytest.mark.parametrize(("text", "reader", "opaque"), [row[1:] for row in INDEX], ids=[row[0] for row in INDEX])
def test_index_reader(text: str, reader: int, opaque: int) -> None:
    made = program(f"FROM debian:13 AS a\nRUN apt-get update\n{text}\n")
    found = index_reader(made, made.stages[0], 0, "apt")
    assert tuple(step.node.line if step is not None else 0 for step in found) == (reader, opaque)
