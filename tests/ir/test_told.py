"""What is kept of shell texts: bounded, and never anything but what the text itself tells."""

from __future__ import annotations

import pytest

from dfopt.ir import shell_text
from dfopt.ir.program import Program
from dfopt.ir.shell_text import KEPT, LONGEST, Told, told
from dfopt.syntax.dockerfile import parse


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_text, "_recent", {})
    monkeypatch.setattr(shell_text, "_before", {})


def test_a_text_is_read_once() -> None:
    assert told("make") is told("make")
    assert told("make").tree is not None
    assert told("if").why != ""
    assert told("if") is told("if")


def test_what_is_used_stays_and_the_rest_goes() -> None:
    first, second = told("first"), told("second")
    for number in range(10 * KEPT):
        told(f"echo {number}")
        assert told("first") is first
        assert len(shell_text._recent) + len(shell_text._before) <= 2 * KEPT
    assert told("second") is not second


def test_long_texts_are_not_kept() -> None:
    text = "x" * (LONGEST + 1)
    assert told(text) is not told(text)
    assert not shell_text._recent


def lines(program: Program) -> list[object]:
    (stage,) = program.stages
    return [
        (
            [(one.program, one.values, one.where) for one in program.commands(step).invocations],
            program.effects(step),
            program.leaks(step),
        )
        for step in stage.steps
        if step.node.keyword == "RUN"
    ]


def test_the_same_text_in_other_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What depends on the directory, the shell or the form of the step is kept apart."""
    run = "cd a && rm -rf b && export X=1 # done"
    texts = [
        f"FROM debian:13\nWORKDIR /{directory}\n{shell}RUN {body}\n"
        for directory in ("one", "two")
        for shell in ("", 'SHELL ["/bin/bash", "-e", "-c"]\n', 'SHELL ["/bin/bash", "-l", "-c"]\n')
        for body in (run, f"<<EOF\n{run}\nEOF")
    ]
    shared = [lines(Program(parse(text))) for text in texts]
    alone = []
    for text in texts:
        monkeypatch.setattr(shell_text, "_recent", {})
        monkeypatch.setattr(shell_text, "_before", {})
        alone.append(lines(Program(parse(text))))
    assert shared == alone
    assert len({repr(one) for one in alone}) == len(texts)
    assert isinstance(told(run), Told)
