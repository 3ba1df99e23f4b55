"""What build definitions state of a Dockerfile, as passes and plans ask for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfopt.facts import StatedBuild
from dfopt.source import Source
from dfopt.workspace.fact_trace import FactTrace, answers_hold
from dfopt.workspace.facts import AskedFacts, ContextFacts, JoinedFacts
from dfopt.workspace.stated_builds import _directories, stated_builds

COMPOSE = """\
services:
  api:
    build: {context: ., target: prod, args: {VERSION: "1", TOKEN: , X: $UNSET}}
    user: "1000"
    ports: ["8080:80", "$UNSET"]
    volumes: ["data:/srv/data", ".:/src:ro"]
  docs:
    build: ./docs
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM debian:13\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "Dockerfile").write_text("FROM debian:13\n")
    monkeypatch.chdir(tmp_path)
    _directories.clear()
    return tmp_path


def test_compose_bake_and_ci_become_one_record_each(tree: Path) -> None:
    (tree / "compose.yaml").write_text(COMPOSE)
    (tree / "docker-bake.hcl").write_text('target "all" {\n  target = "dev"\n  args = { A = "b" }\n}\n')
    workflows = tree / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "ci.yml").write_text(
        "jobs:\n  image:\n    steps:\n    - run: docker build --target test --build-arg V=2 .\n"
        "    - uses: docker/build-push-action@v6\n      with:\n        context: .\n"
        "        target: ${{ matrix.stage }}\n"
    )
    builds = {build.name if build.target is not None else "unknown": build for build in stated_builds("Dockerfile")}
    assert builds["api"] == StatedBuild(
        "compose.yaml:3", "api", "prod", {"VERSION": "1", "TOKEN": None, "X": None}, "1000", ("80/tcp", None),
        ("/srv/data", "/src"),
    )  # fmt: skip
    assert (builds["all"].target, builds["all"].arguments, builds["all"].ports) == ("dev", {"A": "b"}, ())
    (command,) = [build for build in builds.values() if build.target == "test"]
    assert (command.place, command.arguments) == (".github/workflows/ci.yml:4", {"V": "2"})
    assert builds["unknown"].place == ".github/workflows/ci.yml:5"
    assert len(builds) == 4
    (docs,) = stated_builds(os.path.join("docs", "Dockerfile"))
    assert (docs.name, docs.target, docs.user) == ("docs", "", "")


def test_stages_that_a_build_makes() -> None:
    assert StatedBuild("x:1", "x", "Prod").builds(1, "prod", False) is True
    assert StatedBuild("x:1", "x", "1").builds(1, "", False) is True
    assert StatedBuild("x:1", "x", "prod").builds(2, "", True) is False
    assert StatedBuild("x:1", "x").builds(2, "", True) is True
    assert StatedBuild("x:1", "x").builds(1, "", False) is False
    assert StatedBuild("x:1", "x", None).builds(1, "", False) is None


def test_the_question_of_a_pass_and_its_trace(tree: Path) -> None:
    source = Source("Dockerfile", "FROM debian:13\n")

    def facts() -> JoinedFacts:
        return JoinedFacts((ContextFacts("Dockerfile", str(tree), source),))

    assert facts().stated_builds() is None
    assert ContextFacts("-", "", source).stated_builds() is None
    (tree / "compose.yaml").write_text(COMPOSE)
    _directories.clear()  # what was read is kept for a minute
    trace = FactTrace()
    asked = AskedFacts(facts(), trace)
    builds = asked.stated_builds()
    assert builds is not None
    assert [build.name for build in builds] == ["api"]
    assert asked.asked
    assert trace.complete
    assert answers_hold(facts(), trace.rows())
    (tree / "compose.yaml").write_text(COMPOSE.replace("target: prod", "target: dev"))
    _directories.clear()
    assert not answers_hold(facts(), trace.rows())
