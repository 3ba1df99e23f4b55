"""What is kept of shell texts: bounded, and never anything but what the text itself tells."""

from __future__ import annotations

import pytest

from dfopt.ir import shell_text as module
from dfopt.ir.program import Program
from dfopt.ir.shell_text import MAX_LENGTH, MAX_TEXTS, ShellText, shell_text
from dfopt.syntax.dockerfile import parse


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_recent", {})
    monkeypatch.setattr(module, "_before", {})


def test_a_text_is_read_once() -> None:
    assert shell_text("make") is shell_text("make")
    assert shell_text("make").tree is not None
    assert shell_text("if").why != ""
    assert shell_text("if") is shell_text("if")


def test_what_is_used_stays_and_the_rest_goes() -> None:
    first, second = shell_text("first"), shell_text("second")
    for number in range(10 * MAX_TEXTS):
        shell_text(f"echo {number}")
        assert shell_text("first") is first
        assert len(module._recent) + len(module._before) <= 2 * MAX_TEXTS
    assert shell_text("second") is not second


def test_long_texts_are_not_kept() -> None:
    text = "x" * (MAX_LENGTH + 1)
    assert shell_text(text) is not shell_text(text)
    assert not module._recent


def lines(program: Program) -> list[object]:
    (stage,) = program.stages
    return [
        (
            [(one.program, one.values, one.where) for one in program.commands(step).invocations],
            program.effects(step),
            program.shell_state(step),
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
        monkeypatch.setattr(module, "_recent", {})
        monkeypatch.setattr(module, "_before", {})
        alone.append(lines(Program(parse(text))))
    assert shared == alone
    assert len({repr(one) for one in alone}) == len(texts)
    assert isinstance(shell_text(run), ShellText)
