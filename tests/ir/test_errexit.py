"""What `set -e` makes of a failure, by where it happens: as the shells do it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from dfopt.ir.exit_status import errexit_sees
from dfopt.ir.program import Program
from dfopt.refusal import Refusal
from dfopt.rewrites.base import expected
from dfopt.rewrites.commands import AppendCommand
from dfopt.syntax.dockerfile import parse

# every one of these fails; does that end a shell under `set -e`?
FAILING = [
    ("false", True),
    ("true | false", True),
    ("(false && true)", True),
    ("true || true && (exit 1)", False),  # it would here, but not where the chain fails before its end
    ("false && true", False),
    ("false || false", True),
    ("false && true || false", True),
    ("false || false && true", False),
    ("! true", False),
    ("{ false; }", True),
    ("{ false && true; }", False),
    ("{ ! true; }", False),
    ("if true; then false; fi", True),
    ("if true; then false && true; fi", False),
    ("if false; then true; else false && true; fi", False),
    ("for i in 1; do false && true; done", False),
    ("for i in 1; do false; done", True),
    ("case a in a) false && true ;; esac", False),
    ("case a in a) false ;; b) true ;; esac", True),
]


@pytest.mark.parametrize(("command", "ends"), FAILING)
def test_failures(command: str, ends: bool) -> None:
    program = Program(parse(f"FROM debian:13\nRUN {command}\n"))
    body = program.body(program.stages[0].steps[0])
    assert body.program is not None
    assert errexit_sees(body.program.script.items[-1].command) is ends
    shells = [shell for shell in ("sh", "bash", "dash") if shutil.which(shell)]
    assert shells
    for shell in shells:
        done = subprocess.run([shell, "-c", f"set -e; {command}; echo masked"], capture_output=True, text=True)
        if ends:
            assert (done.returncode, done.stdout) != (0, "masked\n"), shell
        elif "exit 1" not in command:
            assert done.stdout == "masked\n", shell


@pytest.mark.parametrize("command", [command for command, ends in FAILING if not ends])
def test_nothing_is_appended_behind_what_is_not_heard(command: str) -> None:
    program = Program(parse(f"FROM debian:13\nRUN set -e; {command}\n"))
    with pytest.raises(Refusal, match="would be masked"):
        expected(program, [AppendCommand(1, ("rm", "-rf", "/x"), ";")])
