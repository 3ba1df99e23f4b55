"""Each row of knowledge/unblocks.toml: a refusal that it answers, and the same file with what it says to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dfopt.facts import Facts
from dfopt.knowledge import table
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Reported, Result
from dfopt.source import Source

ROWS = table("unblocks")["rows"]
BUILDKIT = {"*": {"engine": "buildkit"}}


class Known(Facts):
    """What a build context and a registry answer."""

    def __init__(self, files: Mapping[str, bytes] | None = None, config: Mapping[str, Any] | None = None) -> None:
        self.files = files
        self.config = config

    def context_file(self, path: str) -> bytes | None:
        return self.files.get(path) if self.files is not None else None

    def context_paths(self) -> frozenset[str] | None:
        return frozenset(self.files) if self.files is not None else None

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        return self.config


NOTHING = Known()
PIP = "FROM python:3.13-slim\nRUN pip install flask\n"
SOURCES = "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"
PIPE = "FROM debian:13-slim\nRUN %s\n"
OWN = "FROM example.com/own:1\n"

# pass, text, facts, settings: refused; then allowed
CASES = {
    0: (("cache-mounts", PIP, NOTHING, {}), ("cache-mounts", PIP, NOTHING, BUILDKIT)),
    1: (
        ("cache-mounts", f"# syntax=docker/dockerfile:1.1\n{PIP}", NOTHING, {}),
        ("cache-mounts", f"# syntax=docker/dockerfile:1.7\n{PIP}", NOTHING, {}),
    ),
    2: (
        ("secrets", "FROM a\nARG NPM_TOKEN\nRUN curl -H $NPM_TOKEN https://example.com\nCMD a\n", NOTHING, {}),
        (
            "secrets",
            "# syntax=docker/dockerfile:1\nFROM a\nARG NPM_TOKEN\nRUN curl -H $NPM_TOKEN https://example.com\nCMD a\n",
            NOTHING,
            {},
        ),
    ),
    3: (
        ("cache-mounts", f"# syntax=example.com/own:1\n{PIP}", NOTHING, {}),
        ("cache-mounts", f"# syntax=docker/dockerfile:1\n{PIP}", NOTHING, {}),
    ),
    4: (
        ("dependency-layers", SOURCES, Known({"a.py": b""}), {}),
        ("dependency-layers", SOURCES, Known({"requirements.txt": b"flask\n", "a.py": b""}), {}),
    ),
    5: (
        ("add-to-copy", "FROM a\nADD data.bin /srv/\n", NOTHING, {}),
        ("add-to-copy", "FROM a\nADD data.bin /srv/\n", Known({"data.bin": b"plain"}), {}),
    ),
    6: (
        ("exec-form", "FROM debian:13-slim\nCOPY app /app\nCMD /app serve\n", NOTHING, {}),
        ("exec-form", "FROM debian:13-slim\nCOPY app /app\nCMD /app serve\n", Known({"app": b"#!/bin/sh\n"}), {}),
    ),
    7: (
        ("exec-form", f"{OWN}CMD ls -l\n", NOTHING, {}),
        ("exec-form", f"{OWN}CMD ls -l\n", Known(config={"Entrypoint": None}), {}),
    ),
    8: (
        ("flatten", f"{OWN}RUN one\nRUN two\n", NOTHING, {}),
        ("flatten", f"{OWN}RUN one\nRUN two\n", Known(config={"Env": ["PATH=/usr/bin"]}), {}),
    ),
    9: (
        ("pipefail", f"{OWN}RUN curl https://example.com/a | sh\n", NOTHING, {}),
        (
            "pipefail",
            f'{OWN}SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl https://example.com/a | sh\n',
            NOTHING,
            {},
        ),
    ),
    10: (
        ("pipefail", PIPE % "grep a /b | sort", NOTHING, {}),
        ("pipefail", PIPE % "(grep a /b || true) | sort", NOTHING, {}),
    ),
    11: (
        ("pipefail", PIPE % r"echo 'a\nb' | sort && curl https://example.com/a | sh", NOTHING, {}),
        ("pipefail", PIPE % r"printf 'a\nb' | sort && curl https://example.com/a | sh", NOTHING, {}),
    ),
    12: (
        ("apt-cleanup", PIPE % "<<EOF\napt-get update\napt-get install -y git\nEOF", NOTHING, {}),
        ("apt-cleanup", PIPE % "<<EOF\nset -e\napt-get update\napt-get install -y git\nEOF", NOTHING, {}),
    ),
}


def run(name: str, text: str, facts: Facts, settings: Mapping[str, Mapping[str, object]]) -> Result:
    options = Options((name,), tiers=("safe", "unsafe"), settings=settings)
    result = optimize(Source("Dockerfile", text), options, facts)
    assert result.problem is None
    return result


def refusals(result: Result, name: str) -> list[Reported]:
    return [finding for finding in result.reported if finding.name == name and finding.reason]


def test_every_row_has_a_case() -> None:
    assert set(CASES) == set(range(len(ROWS)))


@pytest.mark.parametrize("number", CASES)
def test_doing_what_it_says_ends_the_refusal(number: int) -> None:
    before, after = CASES[number]
    (refusal,) = refusals(run(*before), before[0])
    assert refusal.unblock == ROWS[number]["unblock"]
    assert all(words in refusal.reason for words in ROWS[number]["words"])
    assert refusals(run(*after), after[0]) == []
