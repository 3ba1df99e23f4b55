"""Runs `dfopt pin` as a process, with a home of its own, and sees to it that no secret is ever told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from registry.servers import SECRETS

ROOT = Path(__file__).parents[2]


class Pinned:
    """How a run ended: exit code, standard output and error."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"Pinned({self.code}, {self.out!r}, {self.err!r})"


class Tree:
    """A directory with files to pin, and the docker configuration of its user."""

    def __init__(self, path: Path) -> None:
        self.path = path / "tree"
        self.home = path / "home"
        self.path.mkdir()
        (self.home / ".docker").mkdir(parents=True)

    def put(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def text(self, name: str = "Dockerfile") -> str:
        return (self.path / name).read_text()

    def login(self, **entries: object) -> None:
        """`auths` by host, with the host's `:` spelled as it is."""
        (self.home / ".docker" / "config.json").write_text(json.dumps({"auths": entries}))

    def run(self, *args: str, command: str = "pin", stdin: str = "", **env: str) -> Pinned:
        """Runs dfopt in the directory; whatever it says, it tells no secret and shows no traceback."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        for name in ("DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            kept.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-m", "dfopt", command, *args], cwd=self.path, input=stdin, capture_output=True,
            text=True, timeout=300, check=False,
            env={**kept, "HOME": str(self.home), "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1793664000", **env},
        )  # fmt: skip
        for secret in SECRETS:
            assert secret not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        for file in self.path.rglob("*"):
            assert not file.is_file() or not any(secret in file.read_text(errors="replace") for secret in SECRETS)
        return Pinned(done.returncode, done.stdout, done.stderr)
