"""The parts of a dry run that need no sandbox: descriptions of programs, lacks, orders of calls, small cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from oracle_client import Oracle

from dryrun import calls, effects, madeup, world
from dryrun.calls import Call
from dryrun.lacks import Lacks
from dryrun.minimize import Minimizer
from dryrun.pool import Pool, Task, Trial
from dryrun.trial import Verdict, with_child

NOBODY = Call(("x",), "/", 0, 0, "022", ())


def named(*words: str, pipes: tuple[int, int] = (0, 0), cwd: str = "/") -> Call:
    return replace(NOBODY, words=words, pipes=pipes, cwd=cwd)


def test_every_package_manager_has_a_description() -> None:
    known = effects.programs()
    for name, row in effects.tables().items():
        commands = effects.description(known[name]).count("\nk\t") + effects.description(known[name]).startswith("k\t")
        assert commands == len(known[name]["commands"])
        assert set(row["commands"]) <= set(known[name]["commands"])


def test_where_the_tables_are_contradicted() -> None:
    """Each is a fact that one of the two has wrong: a new one is to be looked up."""
    assert {name for name, _ in effects.disagreements()} <= {"apk", "go", "cargo", "conda", "yarn"}


@pytest.mark.parametrize(
    ("image", "bodies", "found"),
    [
        ("docker-image://docker.io/library/debian:13", "", world.DEBIAN),
        ("docker-image://docker.io/library/python:3-alpine", "", world.ALPINE),
        ("docker-image://quay.io/centos/centos:stream9", "", world.RHEL),
        ("docker-image://example.org/own", "apk add curl", world.ALPINE),
        ("docker-image://example.org/own", "yum -y install curl", world.RHEL),
        ("docker-image://docker.io/library/alpine:3", "apk add dpkg; apt-get update", world.ALPINE),
    ],
)
def test_family(image: str, bodies: str, found: str) -> None:
    assert world.family(image, bodies) == found


@pytest.mark.parametrize(
    ("output", "programs"),
    [
        ("/bin/sh: 1: foo: not found\n", {"foo"}),
        ("bash: line 1: foo-bar: command not found\n", {"foo-bar"}),
        ("env: 'python3': No such file or directory\n", {"python3"}),
        ("/bin/sh: 1: ./configure: not found\n", set()),
        ("curl: (6) Could not resolve host\n", set()),
    ],
)
def test_missing_programs(output: str, programs: set[str]) -> None:
    assert Lacks().missing_programs(output) == programs


def test_what_a_call_left_is_hinted_and_what_nobody_left_is_the_base_images() -> None:
    lacks = Lacks()
    assert lacks.learn("/bin/sh: 1: cd: can't cd to lib\n", "/", named("git", "clone", "x", cwd="/src")) == "hint"
    assert lacks.hints == {("git", "clone", "/src"): {"/src/lib": "directory"}}
    assert lacks.learn("cat: /etc/thing: No such file or directory\n", "/", None) == "base"
    assert lacks.files == {"/etc/thing"}
    assert lacks.learn("chown: invalid user: 'me:us'\n", "/", None) == "base"
    assert (list(lacks.users), list(lacks.groups)) == (["me"], ["us"])
    assert lacks.learn("chown: invalid user: 'me:us'\n", "/", None) == ""


def test_a_path_with_two_slashes_ends() -> None:
    lacks = Lacks()
    assert lacks.learn("ls: //a/b: Not a directory\n", "/", None) == "base"
    assert lacks.flipped == {"a", "b"}


def test_calls_of_a_pipeline_have_no_order() -> None:
    one = [named("a"), named("curl", pipes=(0, 7)), named("tar", pipes=(7, 0)), named("z")]
    other = [one[0], one[2], one[1], one[3]]
    assert calls.ordered(one) == calls.ordered(other)
    assert [call.program for call in calls.ordered(one)] == ["a", "curl", "tar", "z"]
    assert calls.ordered([named("b"), named("a")]) != calls.ordered([named("a"), named("b")])


def test_calls_with_the_time_of_their_build_are_the_same() -> None:
    one = [named("git", "log", "--since=2026-12-01 00:33:35"), named("tag", "v1796085215")]
    other = [named("git", "log", "--since=2026-12-01 00:33:36"), named("tag", "v1796085216")]
    assert calls.ordered(one) == calls.ordered(other)
    assert calls.ordered([named("git", "log", "-1")]) != calls.ordered([named("git", "log", "-2")])


@pytest.mark.parametrize(
    ("source", "destination", "directory"),
    [
        ("/src", "/app/src", True), ("/src/", "/app/", True), ("/app.py", "/app/", False), ("/Makefile", "/", False),
        ("/entrypoint", "/", False), ("/tool", "/usr/local/bin/tool", False), ("/.", "/app", True),
    ],
)  # fmt: skip
def test_made_up_sources(source: str, destination: str, directory: bool) -> None:
    assert madeup.is_directory(source, destination, "") is directory


class Judge:
    """In place of workers: a file differs while it holds all of some texts."""

    workers = 2

    def __init__(self, *texts: bytes) -> None:
        self.texts = texts

    def run(self, tasks: Iterable[Task]) -> Iterator[Trial]:
        for task in tasks:
            differs = all(text in task.text for text in self.texts)
            passes = ("one", "two") if not task.select else task.select
            yield Trial(task, passes, task.text, Verdict("files" if differs and "two" in passes else "same"))


def test_minimize(oracle: Oracle) -> None:
    text = b"FROM a\n# so\nRUN x && \\\n    y && z; w\nCOPY b c\nRUN p\nENV Q=1\nCMD r\n"
    judge = cast(Pool, Judge(b"FROM", b"y", b"Q=1"))

    def parse(data: bytes) -> dict[str, Any]:
        return oracle.parse(data)

    start = next(judge.run([Task("x", text)]))
    small = Minimizer(judge, parse).minimize(start)
    assert small.passes == ("two",)
    assert small.task.text.split() == b"FROM a # so RUN y ENV Q=1".split()


@pytest.mark.parametrize(
    ("text", "with_stage"),
    [
        (b"FROM debian\nONBUILD RUN a\n", b"FROM debian AS onbuild-base\nONBUILD RUN a\nFROM onbuild-base\n"),
        (b"FROM x AS y\nonbuild run a", b"FROM x AS y\nonbuild run a\nFROM y\n"),
        (b"FROM x\nONBUILD RUN a\nFROM y\nRUN b\n", b"FROM x\nONBUILD RUN a\nFROM y\nRUN b\n"),
        (b"FROM debian\n", b"FROM debian\n"),
    ],
)
def test_with_child(text: bytes, with_stage: bytes) -> None:
    assert with_child(text) == with_stage
