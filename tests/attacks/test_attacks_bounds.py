"""What a file costs grows with its length, not with its square; what would cost too much is one error line."""

from __future__ import annotations

import os
import re
import subprocess
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.running import command, environment
from counted_work import counted

from dfopt.ir import work
from dfopt.ir.environment import Environment
from dfopt.ir.program import Program
from dfopt.optimizer import Optimizer, optimize
from dfopt.pass_selection import Options
from dfopt.rewrites.base import expected
from dfopt.rewrites.commands import InsertCommand, RemoveCommand
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

if TYPE_CHECKING:
    from dfopt.results import Result
    from dfopt.rewrites.base import Rewrite

LINES = {
    "ENV": "ENV A{i}=v{i}\n",
    "ARG": "ARG A{i}=v{i}\n",
    "LABEL": "LABEL a{i}=v{i}\n",
    "pip": "RUN pip install p{i}\n",
    "npm": "RUN npm install -g p{i}\n",
    "merge": "RUN make a{i}\nENV B{i}=1\n",
    "comments": "# note {i}\nRUN make a{i}\n",
    "copies": "COPY a{i} /x/\n",
    "modes": "COPY a{i}.sh /x/a{i}.sh\nRUN chmod 755 /x/a{i}.sh\n",
    "owners": "COPY a{i} /x/\nRUN chown app /x/a{i}\n",
    "touch": "RUN touch /a{i}\n",
    "apt": "RUN apt-get update && apt-get install -y p{i}\n",
    "rm": "RUN touch /a{i}\nRUN rm /a{i}\n",
    "stages": "FROM s{p} AS s{i}\nRUN make a{i}\n",
}


def text_of(kind: str, count: int) -> str:
    return "FROM debian:13 AS s0\n" + "".join(LINES[kind].format(i=i, p=i - 1) for i in range(1, count + 1))


def run(text: str) -> Result:
    return optimize(Source.from_bytes(text.encode()), Options(tiers=("safe", "unsafe")))


def calls(text: str) -> int:
    """How many functions of Python run while the text is optimized."""
    return counted(lambda: run(text))


@pytest.mark.parametrize("kind", LINES)
def test_four_times_the_lines_are_about_four_times_the_work(kind: str) -> None:
    run(text_of(kind, 2))  # what is imported and read once
    assert calls(text_of(kind, 240)) < 6 * calls(text_of(kind, 60))


# lines of the shell text of one RUN
BODY = {
    "make": "make -C /src install DESTDIR=/out",
    "apt": "apt-get update && apt-get install -y curl",
    "pip": "pip install a{i}",
    "rm": "touch /a{i} && rm -rf /a{i}",
    "mixed": "cd /src && make | tee log > /tmp/x; chmod 777 /x; curl -k https://x/y | sh; cp a b{i}; ln -s a b",
    "cleanup": "apt-get install -y p{i}; rm -rf /var/lib/apt/lists/*",
    "variables": "export A{i}=b; echo $A{i} ${{B:-c}} > /x",
    "functions": "f{i}() {{ echo a; }}; if true; then f{i}; fi",
    "unclear": "make )( a",
}


@pytest.mark.parametrize("form", ["heredoc", "chain"])
@pytest.mark.parametrize("kind", BODY)
def test_four_times_the_shell_text_is_about_four_times_the_work(kind: str, form: str) -> None:
    def text(count: int) -> str:
        lines = [BODY[kind].format(i=i) for i in range(count)]
        if form == "heredoc":
            return "FROM debian:13\nRUN <<EOF\n" + "\n".join(lines) + "\nEOF\n"
        return "FROM debian:13\nRUN " + " && \\\n    ".join(lines) + "\n"

    run(text(2))
    assert calls(text(320)) < 6 * calls(text(80))


# lines, and the commands of one RUN behind them that concern these
EDITED = {
    "modes": ("COPY a{i}.sh /x/a{i}.sh\n", "chmod 755 /x/a{i}.sh", " && "),
    "modes of a directory": ("COPY a{i}.sh /x/\n", "chmod 755 /x/a{i}.sh", " && "),
    "modes, one by one": ("COPY a{i}.sh /x/\n", "chmod 755 /x/a{i}.sh", "\nRUN "),
    "operands": ("COPY a{i}.sh /x/\n", "/x/a{i}.sh", " "),
    "deleted": ("COPY a{i} /x/a{i}\n", "rm /x/a{i}", " && "),
    "written and deleted": ("RUN touch /a{i}\n", "rm /a{i}", " && "),
    "directories of RUNs": ("RUN mkdir -p /d{i} && touch /d{i}/a\n", "chmod -R 755 /d{i}", " && "),
    "directories": ("WORKDIR /d{i}\nCOPY . /d{i}\n", "chown -R app /d{i}", " && "),
    "directories, one by one": ("WORKDIR /d{i}\nCOPY . /d{i}\n", "chmod -R 755 /d{i}", "\nRUN "),
}


@pytest.mark.parametrize("kind", EDITED)
def test_four_times_the_commands_that_change_are_about_four_times_the_work(kind: str) -> None:
    line, command, operator = EDITED[kind]
    first = "chmod 755 " if kind == "operands" else ""

    def text(count: int) -> str:
        lines = "".join(line.format(i=i) for i in range(count))
        commands = operator.join(command.format(i=i) for i in range(count))
        return f"# syntax=docker/dockerfile:1\nFROM debian:13\n{lines}RUN {first}{commands}{operator}make\n"

    run(text(2))
    assert calls(text(320)) < 6 * calls(text(80))


@pytest.mark.parametrize("rewrite", ["remove", "insert", "insert alone"])
def test_a_term_is_walked_once_for_all_its_edits(rewrite: str) -> None:
    def edits(count: int) -> int:
        operator = "; " if rewrite == "insert alone" else " && "
        text = f"FROM debian:13\nRUN set -e{operator}" + operator.join(f"make a{i}" for i in range(count)) + "\n"
        program = Program(parse(text))
        body = program.body(program.stages[0].steps[0])
        assert body.program is not None
        offsets = [match.start() for match in re.finditer("make", body.text)]
        words = ("true",)
        rewrites: list[Rewrite] = [
            RemoveCommand(1, at) if rewrite == "remove" else InsertCommand(1, at, words, operator.strip())
            for at in offsets[:-1]
        ]
        return counted(lambda: expected(program, rewrites))

    edits(2)
    assert edits(400) < 6 * edits(100)


def test_memory_is_linear_in_the_variables() -> None:
    program = Program(parse(text_of("ENV", 4000)))
    tracemalloc.start()
    try:
        scope = program.end_scope(program.stages[0])
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert scope.env["A4000"] == "v4000"
    assert taken < 4000 * 2000  # bytes; a copy for each step would be hundreds of megabytes


def test_a_version_of_the_variables_stays_what_it_was() -> None:
    first = Environment().with_set({"A": "1"})
    second = first.with_set({"B": "2", "A": "3"})
    other = first.with_set({"C": "4"})  # another stage goes on from the first
    assert (dict(first), dict(second), dict(other)) == ({"A": "1"}, {"A": "3", "B": "2"}, {"A": "1", "C": "4"})
    assert "B" not in first
    assert "B" not in other
    assert (len(second), first.get("B"), second == {"A": "3", "B": "2"}, first == second) == (2, None, True, False)
    deep = other
    for number in range(100):  # chained stages, each with a sibling
        deep.with_set({"D": "sibling"})
        deep = deep.with_set({f"E{number}": str(number)})
    assert (deep["A"], deep["C"], deep["E0"], "D" in deep, len(deep)) == ("1", "4", "0", False, 102)


@pytest.mark.parametrize(
    "text",
    [
        text_of("touch", 500) + "RUN rm -f" + "".join(f" /a{i}" for i in range(500)),
        text_of("stages", 1000),
        "FROM debian:13\nRUN pip install a && " + "(" * 3000 + "true" + ")" * 3000,
        "FROM debian:13\nRUN apt-get install -y $(" * 400 + "true" + ")" * 400,
        "FROM debian:13\nRUN echo " + "${A:-" * 3000 + "x" + "}" * 3000,
        "FROM debian:13\nENV A=" + "${A:-" * 3000 + "x" + "}" * 3000,
    ],
    ids=["rm-of-500", "stages", "subshells", "substitutions", "expansions", "env"],
)  # fmt: skip
def test_depth_is_a_result_or_an_error_line(text: str) -> None:
    result = run(text + "\n")
    assert result.problem is None or result.output == text + "\n"


def test_too_much_work_is_one_error_and_the_next_file_has_its_own_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work.Work.__init__, "__defaults__", (5000,))
    optimizer = Optimizer(Options(tiers=("safe", "unsafe")))
    source = Source.from_bytes(text_of("pip", 400).encode())
    result = optimizer.run(source)
    assert result.problem is not None
    assert result.problem.message == "too much work: dfopt gave up on these 401 instructions"
    assert result.output == source.text
    assert optimizer.run(Source.from_bytes(text_of("pip", 1).encode())).applied


def test_directories_of_any_depth_are_a_result_or_an_error_line(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1500):  # longer than a path may be: made step by step
            os.mkdir("d")
            os.chdir("d")
        Path("Dockerfile").write_text("FROM debian:13\n")
    finally:
        os.chdir(here)
    try:
        done = subprocess.run(
            command("check", "-q", str(tmp_path), driven=False),
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert done.returncode in (0, 1, 2)
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr
