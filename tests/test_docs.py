"""The documentation is true: the README's commands print what it shows, and each pass does what its page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dfopt.optimizer import Options, optimize
from dfopt.passes.base import GROUPS, NO_FACTS, Pass, registered
from dfopt.source import Source
from dfopt.testing import laws

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PASSES = list(registered().values())


def commands() -> list[tuple[str, str]]:
    """(command, what it prints) of every console block that shows an output."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", README, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            if output:
                found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), [pytest.param(*pair, id=pair[0][:60]) for pair in commands()])
def test_readme_command(command: str, output: str) -> None:
    dfopt = ROOT / ".venv" / "bin" / "dfopt"
    program = str(dfopt) if dfopt.exists() else shutil.which("dfopt")
    assert program is not None
    env = {**os.environ, "PATH": f"{Path(program).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    shown = done.stdout or "\n".join(line for line in done.stderr.splitlines() if not line.startswith("dfopt: ")) + "\n"
    assert shown == output


def test_readme_shows_commands() -> None:
    assert len(commands()) >= 3


def examples(one: type[Pass]) -> list[str]:
    text = "\n".join(line.removeprefix("    ") for line in (one.__doc__ or "").split("\n"))
    return re.findall(r"```dockerfile\n(.*?)```", text, re.S)


@pytest.mark.parametrize("one", PASSES, ids=lambda one: one.name)
def test_page(one: type[Pass]) -> None:
    """The sections are there; what the example shows before becomes what it shows after, and the laws hold."""
    page = one.__doc__ or ""
    assert one.group in GROUPS
    assert "Why:" in page
    assert "Example:" in page
    shown = examples(one)
    assert 1 <= len(shown) <= 2
    options = Options((one.name,), (), ("safe", "unsafe"), {})
    source = Source("Dockerfile", shown[0])
    assert laws.all_laws(source, options, NO_FACTS) == []
    result = optimize(source, options)
    assert result.problem is None
    if len(shown) == 2 and result.changed:
        assert result.output == shown[1]
    else:  # a suggestion, or a fix that needs facts from outside
        assert not result.changed
