"""The gate's rules for a copy that moves: each broken one is met by the declared rewrite, whatever a pass says."""

from __future__ import annotations

import pytest

from dfopt.edit import Edit
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.rewrites.move_copies import MoveCopies
from dfopt.syntax.dockerfile import parse

ROWS = [
    # id, what stands between FROM and the end, where COPY goes, RUNs that are declared independent, what the gate says
    ("over a RUN", "COPY . /a\nRUN x\n", 3, (2,), ""),
    ("over metadata", "COPY . /a\nENV A=1\nWORKDIR /b\nUSER u\nRUN x\n", 6, (5,), ""),
    ("over a RUN that was not declared", "COPY . /a\nRUN x\nRUN y\n", 4, (2,), "may see what is copied"),
    ("over another copy", "COPY . /a\nCOPY b /a\nRUN x\n", 4, (3,), "does not pass COPY"),
    ("over CMD", "COPY . /a\nCMD x\nRUN x\n", 4, (3,), "does not pass CMD"),
    ("over SHELL", 'COPY . /a\nSHELL ["/bin/sh"]\nRUN x\n', 4, (3,), "does not pass SHELL"),
    ("relative, over WORKDIR", "COPY . .\nWORKDIR /b\nRUN x\n", 4, (3,), "working directory"),
    ("variable, over ENV", "COPY . /$A\nENV A=1\nRUN x\n", 4, (3,), "variable"),
    ("variable in a flag, over ARG", "COPY --chown=$A . /a\nARG A=1\nRUN x\n", 4, (3,), "variable"),
    ("into another stage", "COPY . /a\nFROM b\nRUN x\n", 4, (3,), "does not leave its stage"),
    ("of another stage", "COPY --from=b . /a\nRUN x\n", 3, (2,), "copies nothing from the build context"),
    ("not a copy", "LABEL a=b\nRUN x\n", 3, (2,), "copies nothing from the build context"),
    ("not at all", "COPY . /a\nRUN x\n", 2, (), "does not move"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "before", "independent", "reason"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_gate(text: str, before: int, independent: tuple[int, ...], reason: str) -> None:
    program = Program(parse("FROM a\n" + text))
    first, *rest = program.text.splitlines(keepends=True)[1:]
    count = before - 2
    moved = "".join([*rest[:count], first])
    start = program.text.index(first)
    edit = Edit(start, start + len(first) + len("".join(rest[:count])), moved)
    verdict = admit(program, [Fix((edit,), (MoveCopies((1,), before, independent),), "safe")])
    assert reason in verdict.reason
    assert (verdict.program is None) == bool(reason)
    assert bool(verdict.reason) == bool(reason)


def test_another_text_than_declared() -> None:
    program = Program(parse("FROM a\nCOPY . /a\nRUN x\nRUN y\n"))
    fix = Fix((Edit(7, 23, "RUN x\nCOPY . /b\n"),), (MoveCopies((1,), 3, (2,)),), "safe")
    assert admit(program, [fix]).program is None
    fix = Fix((Edit(7, 29, "RUN x\nRUN y\nCOPY . /a\n"),), (MoveCopies((1,), 3, (2,)),), "safe")
    assert admit(program, [fix]).program is None
