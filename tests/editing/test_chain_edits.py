"""Commands taken out of chains, put into them, and what becomes of a failure there."""

from __future__ import annotations

import pytest

from dfopt.edit import apply_edits
from dfopt.editing.chain_edits import insert_command, remove_command
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.commands import commands
from dfopt.ir.exit_status import can_precede, fails_step, reads_stdin
from dfopt.ir.program import Program
from dfopt.refusal import Refusal
from dfopt.rewrites.base import expected
from dfopt.rewrites.commands import InsertCommand, RemoveCommand
from dfopt.syntax.dockerfile import parse


def program(body: str) -> Program:
    return Program(parse(f"FROM debian:13\nRUN {body}\n"))


# the command `x` goes; None: it cannot
REMOVED: list[tuple[str, str, str | None]] = [
    ("alone", "x", None),
    ("last of a list", "a; x", None),
    ("last of a list behind a condition", "set -e; a && b; x", None),
    ("last of a list behind a job", "set -e; a & x", None),
    ("last of a list without set -e throughout", "set -e; a; set +e; b; x", None),
    ("last of a list behind a comment", "set -e; a; \\\n  # note\n  x", None),
    ("last of a list under set -e", "set -e; a; x", "set -e; a"),
    ("last of a list under set -e, over lines", "set -eux; \\\n  a; \\\n  x", "set -eux; \\\n  a"),
    ("behind or", "a || x", None),
    ("in front of or", "x || a", None),
    ("in an or chain", "a && x || b", None),
    ("in a pipeline", "x | a", None),
    ("in a group", "{ x; a; }", None),
    ("in a subshell", "(x && a)", None),
    ("in a branch", "if x; then a; fi", None),
    ("comment before the last", "a \\\n  # note\n  && x", None),
    ("first", "x && a", "a"),
    ("middle", "a && x && b", "a && b"),
    ("last", "a && x", "a"),
    ("first of a list", "x; a", "a"),
    ("middle of a list", "a; x; b", "a; b"),
    ("in a chain in a list", "a; x && b; c", "a; b; c"),
    ("words", "x -q --y 'z w' && a", "a"),
    ("over lines", "x \\\n    && a", "a"),
    ("over lines, operator behind", "x && \\\n    a", "a"),
    ("over lines, last", "a \\\n    && x", "a"),
    ("in front of a group", "x && { a; b; }", "{ a; b; }"),
    ("comment behind", "x \\\n  # note\n  && a", "\\\n  # note\n  a"),
    ("comment behind the operator", "x && \\\n  # note\n  a", "\\\n  # note\n  a"),
]


@pytest.mark.parametrize(("body", "wanted"), [row[1:] for row in REMOVED], ids=[row[0] for row in REMOVED])
def test_removal(body: str, wanted: str | None) -> None:
    made = program(body)
    step = made.stages[0].steps[0]
    node = next(one.node for one in commands(made.body(step)).invocations if one.program == "x")
    found = remove_command(made, step, made.body(step), node)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    edits, rewrite = found
    assert apply_edits(made.text, edits) == f"FROM debian:13\nRUN {wanted}\n"
    assert admit(made, [Fix(tuple(edits), (rewrite,), "safe")]).reason == ""


def test_removal_the_model_refuses() -> None:
    made = program("a; x")
    with pytest.raises(Refusal, match="chain"):
        expected(made, [RemoveCommand(1, 3)])
    with pytest.raises(Refusal, match="chain"):
        expected(made, [RemoveCommand(1, 1)])
    for text in ("set -e; a && b; x", "set -e; a & x", "set -e; a; set +e; b; x"):
        with pytest.raises(Refusal, match="chain"):
            expected(program(text), [RemoveCommand(1, text.index("x"))])
    expected(program("set -e; a; x"), [RemoveCommand(1, 11)])


# `new` comes before the command `x`; None: its failure could pass unnoticed
INSERTED: list[tuple[str, str, str | None]] = [
    ("in a plain list", "x; a", None),
    ("in front of or", "x || a", None),
    ("behind or", "a || x", None),
    ("in a group", "{ x; }", None),
    ("in a branch", "if a; then x; fi", None),
    ("in a pipeline", "x | a", None),
    ("in the background", "x &", None),
    ("inside a chain under errexit", "set -e; a && x; b", None),
    ("errexit off again", "set -e; set +e; x; a", None),
    ("alone", "x", "new && x"),
    ("last of a chain", "a && x", "a && new && x"),
    ("first of a chain", "x && a", "new && x && a"),
    ("last of a list", "a; x", "a; new && x"),
    ("errexit list", "set -e; x; a", "set -e; new; x; a"),
    ("errexit list, last", "set -e; a; x", "set -e; a; new && x"),
    ("errexit, first of a chain", "set -e; x && a; b", "set -e; new; x && a; b"),
    ("assignment", "A=1 x", "new && A=1 x"),
    ("on its own line", "a \\\n    && x", "a \\\n    && new \\\n    && x"),
    ("errexit over lines", "set -e; \\\n    x; \\\n    a", "set -e; \\\n    new; \\\n    x; \\\n    a"),
]


@pytest.mark.parametrize(("body", "wanted"), [row[1:] for row in INSERTED], ids=[row[0] for row in INSERTED])
def test_insertion(body: str, wanted: str | None) -> None:
    made = program(body)
    step = made.stages[0].steps[0]
    node = next(one.node for one in commands(made.body(step)).invocations if one.program == "x")
    found = insert_command(made, step, made.body(step), node, ("new",))
    if wanted is None:
        assert found is None
        for operator in ("&&", ";"):
            assert not can_precede(made.body(step), node.start, operator)
            with pytest.raises(Refusal, match="unnoticed"):
                expected(made, [InsertCommand(1, node.start, ("new",), operator)])
        return
    assert found is not None
    edit, rewrite = found
    assert apply_edits(made.text, [edit]) == f"FROM debian:13\nRUN {wanted}\n"
    assert admit(made, [Fix((edit,), (rewrite,), "safe")]).reason == ""


FATAL: list[tuple[str, bool]] = [
    ("x", True),
    ("a && x", True),
    ("x && a", True),
    ("a; x", True),
    ("x; a", False),
    ("x || a", False),
    ("a && x || true", False),
    ("x &", False),
    ("x | a", False),
    ("a | x", True),
    ("! x", False),
    ("set -e; x; a", True),
    ("set -e; x && b; a", False),
    ("set -e; b && x; a", True),
    ("set -e; { x; a; }; b", True),
    ("set -e; { x && a; }; b", False),
    ("{ x && a; }", True),
    ("set -e; { x; }; b", True),
    ("set -e; (x && a); b", True),
    ("(a; x)", True),
    ("(x; a)", False),
    ("if a; then x; fi", False),
    ("while x; do a; done", False),
    ("for i in 1 2; do x; done", False),
    ("f() { x; }; f", False),
]


@pytest.mark.parametrize(("body", "wanted"), FATAL, ids=[row[0] for row in FATAL])
def test_fatal(body: str, wanted: bool) -> None:
    made = program(body)
    found = made.body(made.stages[0].steps[0])
    node = next(one.node for one in commands(found).invocations if one.program == "x")
    assert fails_step(found, node) is wanted


FED: list[tuple[str, bool]] = [
    ("x", False),
    ("x | a", False),
    ("x > /log 2>&1", False),
    ("a < /f && x", False),
    ("echo $(a < /f; x)", False),
    ("a | x", True),
    ("a | { b; x; }", True),
    ("a | while read n; do x $n; done", True),
    ("x < /f", True),
    ("{ a; x; } < /f", True),
    ("while read n; do x $n; done < /f", True),
    ("echo $(a | x)", True),
]


@pytest.mark.parametrize(("body", "wanted"), FED, ids=[row[0] for row in FED])
def test_fed(body: str, wanted: bool) -> None:
    made = program(body)
    found = made.body(made.stages[0].steps[0])
    node = next(one.node for one in commands(found).invocations if one.program == "x")
    assert reads_stdin(found, node) is wanted
