"""What the documentation of `dependency-layers` says was measured is what the table of savings keeps."""

from __future__ import annotations

import pytest

from dfopt.facts import Facts
from dfopt.knowledge import table
from dfopt.optimizer import Optimizer
from dfopt.pass_selection import Options
from dfopt.passes.dependency_layers.dependency_layers import DependencyLayers
from dfopt.source import Source

MEASURED = table("savings")["rebuild"]


@pytest.mark.parametrize("command", MEASURED)
def test_measured(command: str) -> None:
    text = " ".join((DependencyLayers.__doc__ or "").split())
    before, after = MEASURED[command]
    assert after < before
    said = text.partition(f"`{command}`")[2].partition(";")[0]
    assert f"{before}, {after}" in said


INSTALL = "RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"
MOVES = [
    # id, what stands before the install
    ("a file", "COPY a.txt /app/\n"),
    ("relative to a directory", "WORKDIR /app\nCOPY a.txt b.txt ./\n"),
    ("a pattern", "COPY a*.txt /app/\n"),
    ("with flags", "COPY --chown=1:1 --chmod=644 --link a.txt /app/\n"),
    ("an archive", "ADD a.tar.gz /app/\n"),
    ("several", "COPY a /app/a\nCOPY b /app/b\n"),
    ("more than there are rounds", "".join(f"COPY {n} /app/{n}\n" for n in range(14))),
    ("a directory that nothing searches", "ENV PATH=/app/bin:$PATH\nCOPY a.txt /data/\n"),
    ("a variable that leads nowhere", "ENV APP=/app\nCOPY a.txt $APP/\n"),
    ("in a home directory", "COPY a.txt /root/app/\n"),
]  # fmt: skip
STAYS = [
    # id, what stands before the install
    ("of another stage", "COPY --from=golang:1.24 /usr/local/go /app/go\n"),
    ("a download", "ADD https://example.org/a /app/a\n"),
    ("written in the file", "COPY <<EOF /app/a\nb\nEOF\n"),
    ("settings of the package manager", "COPY a.list /etc/apt/sources.list.d/\n"),
    ("a program", "COPY a /usr/local/bin/\n"),
    ("what packages bring, too", "COPY a /var/www/html/\n"),
    ("an index", "COPY a /var/lib/apt/lists/\n"),
    ("it is not known what", "COPY a* /\n"),
    ("it is not known where", "COPY a $A/\n"),
    ("settings in a home directory", "COPY gitconfig /root/.gitconfig\n"),
    ("anything in a home directory", "COPY a* /root/\n"),
    ("where programs are searched", "ENV PATH=/app/bin:$PATH\nCOPY a /app/bin/\n"),
    ("what holds a directory of programs", "ENV PATH=/app/bin:$PATH\nCOPY a* /app\n"),
    ("modules of Python", "ENV PYTHONPATH=/app\nCOPY a.py /app/\n"),
    ("a library that is loaded first", "ENV LD_PRELOAD=/app/a.so\nCOPY a.so /app/\n"),
    ("a relative place", "WORKDIR /app\nENV PATH=bin:$PATH\nCOPY a bin/\n"),
    ("a directory that another user makes", "USER nobody\nCOPY a.txt /app/\nWORKDIR /app\n"),
    ("a place that changes", "COPY a.txt app/\nWORKDIR /b\n"),
    ("a variable that changes", "COPY a.txt /$A/\nENV A=b\n"),
    ("another shell", 'COPY a.txt /app/\nSHELL ["/bin/sh"]\n'),
]  # fmt: skip
STAYS_BEFORE = [
    # id, the RUN behind COPY a.txt /tmp/a
    ("a local package", "apt-get install -y /tmp/a.deb"),
    ("a list of packages", "apt-get install -y $(cat /tmp/a)"),
    ("a list by xargs", "xargs apt-get install -y </tmp/a"),
    ("what deletes it", "apt-get install -y curl && rm -rf /tmp/*"),
    ("what runs it", "apt-get install -y curl && /tmp/a"),
    ("an install that may read it", "apt-get install -y python3-pip && pip install x"),
    ("its own configuration", "apt-get -c /tmp/a install -y curl"),
    ("on a condition", "test -e /tmp/a && apt-get install -y curl"),
    ("a mount", "--mount=type=bind,target=/src apt-get install -y curl"),
    ("no network", "--network=none apt-get install -y curl"),
]  # fmt: skip


def rewritten(text: str, facts: Facts | None = None) -> str:
    result = Optimizer(Options(select=("dependency-layers",))).run(Source("Dockerfile", text), facts)
    assert result.problem is None
    return result.output


@pytest.mark.parametrize("before", [row[1] for row in MOVES], ids=[row[0] for row in MOVES])
def test_files_behind_packages(before: str) -> None:
    *settings, copies = before.partition("COPY" if "COPY" in before else "ADD")
    head = "FROM debian:13\n"
    assert rewritten(f"{head}{before}{INSTALL}CMD x\n") == f"{head}{settings[0]}{INSTALL}{settings[1]}{copies}CMD x\n"


@pytest.mark.parametrize("before", [row[1] for row in STAYS], ids=[row[0] for row in STAYS])
def test_files_that_stay(before: str) -> None:
    text = f"FROM debian:13\n{before}{INSTALL}"
    assert rewritten(text) == text


@pytest.mark.parametrize("run", [row[1] for row in STAYS_BEFORE], ids=[row[0] for row in STAYS_BEFORE])
def test_files_that_a_run_may_see(run: str) -> None:
    text = f"FROM debian:13\nCOPY a.txt /tmp/a\nRUN {run}\n"
    assert rewritten(text) == text
    assert rewritten(text.replace(run, "apt-get install -y curl")) != text, "the copy alone keeps nothing back"


def test_more_pairs_than_there_are_rounds() -> None:
    """All copies of a stage move at once, in their order, also where installs and settings stand between them."""
    pairs = [(f"# {n}\nCOPY {n} /app/{n}\n", f"ENV A{n}=1\nRUN apt-get install -y p{n}\n") for n in range(14)]
    copies, runs = ("".join(lines) for lines in zip(*pairs, strict=True))
    text = "FROM debian:13\nRUN apt-get update\n"
    assert rewritten(text + "".join(copy + run for copy, run in pairs) + "CMD x\n") == text + runs + copies + "CMD x\n"


def test_as_far_as_a_run_that_may_see_it() -> None:
    text = f"FROM debian:13\nCOPY a /app/a\nRUN make -C /app\nCOPY b /app/b\n{INSTALL}"
    moved = f"FROM debian:13\nCOPY a /app/a\nRUN make -C /app\n{INSTALL}COPY b /app/b\n"
    assert rewritten(text) == moved


def test_who_makes_the_directory() -> None:
    """Packages are installed by root, whom the base image names: the same makes the directory of WORKDIR."""
    copy = "COPY a.txt /app/\nWORKDIR /app\n"
    moved = "WORKDIR /app\n" + INSTALL + "COPY a.txt /app/\n"
    assert rewritten(f"FROM example.org/own\n{copy}{INSTALL}") == f"FROM example.org/own\n{moved}"
    text = f"FROM example.org/own\n{copy}USER root\n{INSTALL}"
    assert rewritten(text) == text


class Context(Facts):
    def context_paths(self) -> frozenset[str]:
        return frozenset(("tools/bin/apt-get", "run.sh", "requirements.txt"))


def test_a_directory_of_the_context_that_holds_programs() -> None:
    for words in ("tools", "tools run.sh"):
        text = f"FROM debian:13\nENV PATH=/app/bin:$PATH\nCOPY {words} /app/\n{INSTALL}"
        assert rewritten(text, Context()) == text
        assert rewritten(text.replace("/app/bin", "/opt/bin"), Context()) != text


def test_one_file_into_a_directory() -> None:
    """Where the context tells that it is a file, its place is known."""
    text = f"FROM debian:13\nCOPY run.sh /\n{INSTALL}"
    assert rewritten(text) == text
    assert rewritten(text, Context()) == f"FROM debian:13\n{INSTALL}COPY run.sh /\n"
    assert rewritten(text.replace("run.sh", "tools"), Context()) == text.replace("run.sh", "tools")
