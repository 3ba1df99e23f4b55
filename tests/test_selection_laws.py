"""The laws of selections (see selection_laws), on a sample of the golden cases and of the suite's applications.

The whole is run by hand: `python -m tests.tools.laws`.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from selection_laws import Selections, idle

from dfopt.facts import NO_FACTS, Facts
from dfopt.findings import Benefit
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import replace
from dfopt.results import Result
from dfopt.source import Source
from dfopt.workspace.facts import ContextFacts

from .tools.laws import broken, cases

SUITE = Path(__file__).parent / "suite"
SAMPLE = [  # which cases depends on nothing but their names: a new one changes nothing for the others
    *(("golden", name) for name in sorted(cases()) if zlib.crc32(name.encode()) % 18 == 7),
    *(("suite", str(path)) for path in sorted(SUITE.glob("*/*/Dockerfile"))[::5]),
]
BOTH = ("safe", "unsafe")


@pytest.mark.parametrize("row", SAMPLE, ids=[f"{kind}-{name[-40:]}" for kind, name in SAMPLE])
def test_more_passes_make_nothing_worse(row: tuple[str, str]) -> None:
    assert broken(row) == []


# A split moves what the other passes would work on: nothing of theirs may stay in the builder.
GO = """FROM golang:1.24
WORKDIR /src
COPY go.mod main.go ./
RUN apt-get update && apt-get install -y git
RUN CGO_ENABLED=0 go build -o /usr/local/bin/server .
CMD server
"""
FILES = {"go.mod": "module example.com/server\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"}


def selections(tmp_path: Path, text: str) -> Selections:
    (tmp_path / "Dockerfile").write_text(text)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    source = Source("Dockerfile", text)
    facts = ContextFacts(str(tmp_path / "Dockerfile"), str(tmp_path), source, str(tmp_path))
    return Selections(source, facts, Options((), (), BOTH))


def test_a_split_leaves_nothing_idle_in_the_builder(tmp_path: Path) -> None:
    result = selections(tmp_path, GO).result(frozenset(("all", "multi-stage", "swap-base", "flatten")))
    builder, final = result.output.split("\n\n")
    assert final.startswith("FROM scratch\n")  # exec-form made CMD run without a shell before
    assert "find /" not in builder
    assert "useradd" not in builder
    assert list(idle(result)) == []


class Configured(Facts):
    """Every base image has the same configuration."""

    def image_config(self, image: str) -> dict[str, object]:
        return {"Env": ["PATH=/bin"]}


def test_of_two_that_restructure_a_stage_the_one_that_saves_more_does() -> None:
    source = Source("Dockerfile", 'FROM debian:13\nCOPY a /a\nRUN touch /b\nCMD ["cat", "/a"]\n')
    result = optimize(source, Options(("swap-base", "flatten"), (), BOTH), Configured())
    assert "FROM debian:13-slim" in result.output
    assert [fix.name for fix in result.applied] == ["swap-base", "flatten"]


# -- the laws see what is wrong


def test_what_is_lost_is_seen() -> None:
    source = Source("Dockerfile", "FROM debian:13\nRUN apt-get update && apt-get install -y git\n")
    held = Selections(source, NO_FACTS, Options((), (), BOTH))
    alone = held.of_one("apt-cleanup")
    assert alone.applied
    nothing = replace(alone, output=source.text, applied=(), reported=())
    assert [*held.not_worse("both", nothing, "one", alone)] == ["both: saves 0 bytes, one 20,000,000"]
    root: Result = held.of_one("apt-cleanup")
    user = replace(root, output=source.text + "USER 5\n")
    assert "both: runs as root, one does not" in [*held.not_worse("both", root, "one", user)]


def test_what_serves_nobody_is_seen() -> None:
    source = Source("Dockerfile", "FROM debian:13\nRUN apt-get update && apt-get install -y git\nCOPY a /a\n")
    result = optimize(source, Options(("apt-cleanup",)))
    assert list(idle(result)) == []
    thrown_away = replace(result, output=result.output + "FROM scratch\nCOPY --from=0 /a /a\n")
    assert [what.partition(":")[0] for what in idle(thrown_away)] == [
        "apt-cleanup writes into a stage that no image ships"
    ]
    assert result.applied[0].benefit == Benefit(bytes=20_000_000, source="savings.toml")
