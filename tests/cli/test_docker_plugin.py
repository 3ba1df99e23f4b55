"""dfopt as a plugin of docker's command line, called as docker calls it. With docker itself: tests/realbuild."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.version import version

WASTEFUL = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"


def plugin(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from dfopt.cli.docker_plugin import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *words], cwd=place, capture_output=True, text=True, check=False)


def test_metadata(tmp_path: Path) -> None:
    done = plugin(tmp_path, "docker-cli-plugin-metadata")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["SchemaVersion"], told["Version"]) == ("0.1.0", version())


@pytest.mark.parametrize("words", [("dfopt",), ("--context", "default", "dfopt")])
def test_command(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(WASTEFUL)
    done = plugin(tmp_path, *words, "fix", "--check", "Dockerfile")
    assert (done.returncode, done.stdout) == (1, "Dockerfile\n")


def test_bad_command(tmp_path: Path) -> None:
    done = plugin(tmp_path, "dfopt", "mend")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
