"""The action for GitHub runs in a checkout, and imports nothing from it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli.running import ROOT, environment
from ruamel.yaml import YAML

# what `python3 -m venv`, pip and dfopt import, and a few of the standard library's that everything imports
MODULES = ("venv", "pip", "ensurepip", "dfopt", "logging", "types", "os", "sitecustomize", "usercustomize")


@pytest.fixture(scope="module")
def steps() -> list[Any]:
    found: list[Any] = YAML(typ="safe").load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return found


def test_no_module_of_the_checkout_is_imported(tmp_path: Path, wheel: Path, steps: list[Any]) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in MODULES:
        (checkout / f"{name}.py").write_text('print("executed from the checkout")\n')
    (checkout / "Dockerfile").write_text("FROM debian\n")
    (tmp_path / "temp").mkdir()
    given = {
        "RUNNER_TEMP": str(tmp_path / "temp"), "GITHUB_ACTION_PATH": str(ROOT), "WANTED": str(wheel),
        "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1",
        "DFOPT_PATHS": ".", "ARGUMENTS": "--select latest-tag", "SARIF": "out.sarif",
    }  # fmt: skip
    env = {key: value for key, value in environment(**given).items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    done = [
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=checkout, env=env,
            capture_output=True, text=True, check=False,
        )
        for step in steps
    ]  # fmt: skip
    assert done[0].returncode == 0, done[0].stderr
    # its dependencies are not installed here: a finding without a fix needs none of them
    assert "dfopt" in os.listdir(tmp_path / "temp" / "dfopt" / "bin")
    assert "executed from the checkout" not in "".join(one.stdout + one.stderr for one in done)
    assert "file=Dockerfile,line=1" in done[1].stdout, done[1].stderr
    # the trap works
    trapped = subprocess.run(["python3", "-m", "venv", "x"], cwd=checkout, capture_output=True, text=True, check=False)
    assert "executed from the checkout" in trapped.stdout
