"""`docker dfopt`, run by docker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_docker_runs_the_plugin(tmp_path: Path) -> None:
    plugin = tmp_path / "config" / "cli-plugins" / "docker-dfopt"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        f'#!{sys.executable}\nimport sys\nsys.path.insert(0, "{Path(__file__).resolve().parents[2]}")\n'
        "from dfopt.cli.docker_plugin import main\nsys.exit(main())\n"
    )
    plugin.chmod(0o755)
    (tmp_path / "Dockerfile").write_text("FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl\n")
    environment = {**os.environ, "DOCKER_CONFIG": str(tmp_path / "config")}

    def docker(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    listed = json.loads(docker("info", "--format", "{{json .ClientInfo.Plugins}}").stdout or "[]")
    assert any(row["Name"] == "dfopt" and not row.get("Err") for row in listed), listed
    done = docker("dfopt", "fix", "--check", "Dockerfile")
    assert (done.returncode, done.stdout) == (1, "Dockerfile\n"), done.stderr
