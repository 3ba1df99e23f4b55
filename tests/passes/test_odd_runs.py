"""Inputs that are legal and odd: a RUN that is a comment, a trigger without arguments, hundreds of RUNs."""

from __future__ import annotations

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.passes.base import registered
from dfopt.source import Source

EVERYTHING = tuple(registered())
TRIGGERS = ("COPY", "ADD", "WORKDIR", "USER", "VOLUME", "CMD", "ENTRYPOINT", "SHELL", "ENV", "ARG", "LABEL", "RUN")
COMMENTS = {
    "rm": "FROM debian:13\nRUN # rm -rf /x\n",
    "chown": "FROM debian:13\nCOPY a /\nRUN # chown a /a\n",
    "between": "FROM debian:13\nRUN touch /a\nRUN # b\nRUN rm /a\n",
    "apt": "FROM debian:13\nRUN # apt-get update\nRUN apt-get install curl\n",
    "cd": "FROM debian:13\nRUN # cd /x\nRUN rm /x\n",
    "heredoc": "FROM debian:13\nRUN <<EOF\n# rm /x\nEOF\nRUN rm /x\n",
}


def options(*names: str) -> Options:
    return Options(names, (), ("safe", "unsafe"), {"merge-run": {"when": "all", "stages": "all"}})


@pytest.mark.parametrize("text", COMMENTS.values(), ids=COMMENTS)
@pytest.mark.parametrize("names", [(), EVERYTHING], ids=["default", "all"])
def test_a_run_that_is_a_comment(text: str, names: tuple[str, ...]) -> None:
    result = optimize(Source("Dockerfile", text), options(*names))
    assert result.problem is None
    assert "it runs no command" in {reported.reason for reported in result.reported}


@pytest.mark.parametrize("keyword", TRIGGERS)
@pytest.mark.parametrize("arguments", ["", " --", " --x=1", " a", " []", " # a", " --from=a"])
def test_a_trigger_that_only_a_child_image_checks(keyword: str, arguments: str) -> None:
    text = f"FROM debian:13\nONBUILD {keyword}{arguments}\nRUN touch /x\nRUN rm -rf /x && chown a /y\nUSER a\nCMD a\n"
    result = optimize(Source("Dockerfile", text), options("merge-run", "dead-files", "copy-mode", "apt-cleanup"))
    assert result.problem is not None or f"ONBUILD {keyword}{arguments}\n" in result.output


def test_five_hundred_runs_become_one() -> None:
    touched = [f"/a{number}" for number in range(500)]
    runs = [f"RUN touch {path}\n" for path in touched]
    text = f"FROM debian:13\n{''.join(runs)}RUN rm -f {' '.join(touched)}\n"
    output = optimize(Source("Dockerfile", text), Options()).output
    assert output.count("RUN ") == 1
    assert output.count("touch ") == 500
