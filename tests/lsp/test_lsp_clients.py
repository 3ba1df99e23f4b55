"""Real editors, each applying a fix in a file with Windows newlines, on a line with an emoji before the change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from lsp.conftest import LEFT_OUT, PACKAGES

CLIENTS = Path(__file__).resolve().parent / "clients"
TEXT = (
    "# \U0001f680 caf\u00e9\r\n"
    "FROM debian:13-slim\r\n"
    "RUN echo '\U0001f680\U0001f680' && apt-get update && apt-get install -y --no-install-recommends curl\r\n"
    'CMD ["curl"]\r\n'
)
FIXED = TEXT.replace("recommends curl\r\n", "recommends curl && rm -rf /var/lib/apt/lists/*\r\n")
LINE = 3
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "editors.md"


def snippet(language: str, place: Path) -> Path:
    """The set-up that the documentation shows for an editor, as a file: what is tested is what is published."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENTATION.read_text(), re.S)
    path = place / f"snippet.{language}"
    path.write_text(found)
    return path


def need(*programs: str) -> None:
    """In CI no editor is left out; elsewhere the test is skipped, and the summary tells once what to install."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"not installed: {' '.join(missing)}; apt-get install {PACKAGES}", pytrace=False)
    if missing:
        pytest.skip(f"{LEFT_OUT}apt-get install {PACKAGES}")


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """Nothing of the user's own set-up; `dfopt` is the one under test."""
    programs = home / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "dfopt"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dfopt "$@"\n')
    program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "NVIM", "VIM", "EMACS"))}
    return {
        **kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "LC_ALL": "C.UTF-8",
        "PATH": f"{programs}:{os.environ['PATH']}", **more,
    }  # fmt: skip


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    path = tmp_path / "project" / "Dockerfile"
    path.write_bytes(TEXT.encode())
    return path


@pytest.fixture
def run(tmp_path: Path, dockerfile: Path) -> Callable[..., bytes]:
    """Runs a client on the file; what the file holds then."""

    def call(command: list[str], action: str, **more: str) -> bytes:
        env = environment(tmp_path, DFOPT_FILE=str(dockerfile), DFOPT_ACTION=action, DFOPT_LINE=str(LINE), **more)
        done = subprocess.run(
            command, env=env, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL, cwd=tmp_path
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
        return dockerfile.read_bytes()

    return call


def expected(action: str) -> bytes:
    text = FIXED if action == "quickfix" else optimize(Source("Dockerfile", TEXT), Options()).output
    assert text != TEXT
    return text.encode()


@pytest.mark.parametrize("action", ["quickfix", "source.fixAll.dfopt"])
def test_neovim(run: Callable[..., bytes], tmp_path: Path, action: str) -> None:
    need("nvim")
    command = ["nvim", "--headless", "--clean", "-S", str(snippet("lua", tmp_path)), "-S", str(CLIENTS / "neovim.lua")]
    assert run(command, action) == expected(action)


@pytest.mark.parametrize("action", ["quickfix", "source.fixAll.dfopt"])
def test_emacs_eglot(run: Callable[..., bytes], tmp_path: Path, action: str) -> None:
    need("emacs")
    command = ["emacs", "--quick", "--batch", "-l", str(snippet("elisp", tmp_path)), "-l", str(CLIENTS / "eglot.el")]
    assert run(command, action) == expected(action)


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The transport and the text document of VS Code, from npm."""
    need("node", "npm")
    place = tmp_path_factory.mktemp("node")
    packages = ["vscode-jsonrpc@8", "vscode-languageserver-textdocument@1"]
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", *packages],
        cwd=place, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"{LEFT_OUT}npm could not install {' '.join(packages)}")
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "node_modules"


@pytest.mark.parametrize("action", ["quickfix", "source.fixAll.dfopt"])
def test_vscode_jsonrpc(run: Callable[..., bytes], dockerfile: Path, node_modules: Path, action: str) -> None:
    command = ["node", str(CLIENTS / "node.mjs"), str(dockerfile), action, str(LINE)]
    assert run(command, action, DFOPT_NODE_MODULES=str(node_modules)) == expected(action)


def test_helix(tmp_path: Path, dockerfile: Path) -> None:
    """Driven as a person would: keys in, screen out."""
    need("hx", "tmux")
    config = tmp_path / "config" / "helix"
    config.mkdir(parents=True)
    snippet("toml", config).rename(config / "languages.toml")
    socket = str(tmp_path / "tmux")

    def tmux(*words: str) -> str:
        return subprocess.run(
            ["tmux", "-S", socket, "-f", "/dev/null", *words], env=environment(tmp_path, TERM="xterm-256color"),
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip

    def screen_with(*words: str) -> str:
        deadline = time.monotonic() + 180
        shown = ""
        while time.monotonic() < deadline:
            shown = tmux("capture-pane", "-p")
            if all(word in shown for word in words):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{words} never appeared on:\n{shown}")

    tmux("new-session", "-d", "-x", "160", "-y", "40", "hx", f"{dockerfile}:{LINE}")
    try:
        screen_with("delete apt's package index")  # the diagnostic under the cursor
        tmux("send-keys", "Space", "a")
        screen_with("Ignore apt-cleanup here")  # the menu is open
        tmux("send-keys", "Enter")
        screen_with("rm -rf /var/lib/apt/lists")
        tmux("send-keys", ":w", "Enter")
        deadline = time.monotonic() + 120
        while dockerfile.read_bytes() == TEXT.encode() and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, capture_output=True)
    assert dockerfile.read_bytes() == FIXED.encode()
