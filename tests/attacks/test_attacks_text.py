"""Foreign text on a terminal or in the log of a build server: no control character, no command of the server's."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli.running import command, dfopt, environment
from hypothesis import given
from hypothesis import strategies as st

from dfopt.messages import json_text, printable, printable_lines

GOOD = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
ESCAPE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202e\x9b31m"
NAMES = {
    "escape": f"e{ESCAPE.replace('/', '')}",
    "newline": "a\n::add-mask::debian",
    "command": "::add-mask::debian",
    "old-command": "##[add-mask]debian",
    "azure": "##vso[task.setvariable variable=x]y",
}


def is_raw(line: str) -> bool:
    """Whether a line holds what must not be there."""
    command = line.lstrip().startswith("::") or "##[" in line or "##vso[" in line
    return command or not line.replace("\t", "").isprintable()


def raw(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "surrogateescape").split("\n") if is_raw(line)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("fix", "--check", "."), id="names"),
        pytest.param(("check", "."), id="text"),
        pytest.param(("check", "--output-format", "concise", "."), id="concise"),
        pytest.param(("fix", "--write", "."), id="notes"),
        pytest.param(("migrate", "plan", "."), id="campaign"),
        pytest.param(("pin", "--offline", "."), id="pin"),
        pytest.param(("dockerignore", "--explain", "--write", "."), id="dockerignore"),
    ],
)
def test_names(tmp_path: Path, words: tuple[str, ...], name: str) -> None:
    foreign = NAMES[name]
    (tmp_path / foreign).mkdir()
    (tmp_path / foreign / "Dockerfile").write_bytes(GOOD)
    (tmp_path / f"{foreign}.dockerfile").write_bytes(b"NONSENSE\n")
    done = dfopt(*words, cwd=tmp_path, driven=False)
    assert raw(done.stdout) == []
    assert raw(done.stderr) == []
    assert any(word in done.stdout + done.stderr for word in (b"debian", b"\\x1b", b"##\\x", b"#\\x23"))


@pytest.mark.parametrize("output", ["json", "sarif", "gitlab", "junit", "github"])
def test_formats(tmp_path: Path, output: str) -> None:
    (tmp_path / NAMES["escape"]).mkdir()
    (tmp_path / NAMES["escape"] / "Dockerfile").write_bytes(GOOD)
    (tmp_path / "Dockerfile").write_bytes(f"FROM debian:13\nRUN cd /a{ESCAPE} && x\nNONSENSE{ESCAPE} x\n".encode())
    done = dfopt("check", "--output-format", output, ".", cwd=tmp_path, driven=False)
    text = done.stdout.decode()
    assert text.replace("\n", "").isprintable()
    if output in ("json", "sarif", "gitlab"):
        json.loads(text)
    elif output == "junit":
        ElementTree.fromstring(text)
    else:
        assert [line for line in text.splitlines() if not line.startswith(("::warning file=", "::error file=",
                                                                          "::notice file="))] == []  # fmt: skip


def on_a_terminal(*words: str, cwd: Path) -> str:
    """What dfopt writes to a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command(*words, driven=False), cwd=cwd, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
        env=environment(NO_COLOR="1"),
    )  # fmt: skip
    os.close(follower)
    pieces: list[bytes] = []
    while True:
        try:
            piece = os.read(leader, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(leader)
    process.wait()
    return b"".join(pieces).decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def test_a_diff(tmp_path: Path) -> None:
    """On a terminal, escapes; into a pipe, what `git apply` reads."""
    (tmp_path / "Dockerfile").write_bytes(GOOD + f'LABEL a="{ESCAPE}"\n'.encode())
    shown = on_a_terminal("fix", ".", cwd=tmp_path)
    assert "\\x1b]52;c;ZXZpbA==" in shown
    assert raw(shown.encode("utf-8", "surrogateescape")) == []
    piped = dfopt("fix", "-q", ".", cwd=tmp_path, driven=False).stdout
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=piped, check=True)
    assert (tmp_path / "Dockerfile").read_bytes().endswith(f'LABEL a="{ESCAPE}"\n'.encode())
    assert b"lists" in (tmp_path / "Dockerfile").read_bytes()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("dfopt.toml", '"\\u001b[31m"=1\n', id="key"),
        pytest.param("dfopt.toml", 'select=["\\u001b[31m"]\n', id="value"),
        pytest.param("dfopt.toml", 'context="\\u001b[31m"\n', id="path"),
        pytest.param("dfopt.lock", 'version=1\n[[image]]\nreference="docker.io/\\u001b[2Jx"\n', id="lock"),
        pytest.param("dfopt.lock", 'version=1\n"\\u001b[2J"=1\n', id="lock-key"),
    ],
)
def test_errors(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM debian:13\n")
    (tmp_path / file).write_text(content)
    done = dfopt("fix", "--select", "pin-digest", ".", cwd=tmp_path, driven=False)
    assert done.returncode == 2
    assert raw(done.stderr) == []
    assert not done.stdout


def test_recipes(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x.toml").write_text('description = "a\\u001b[31mb\\n::add-mask::x"\nselect = ["size"]\n')
    (tmp_path / "dfopt.toml").write_text('[recipes]\npath = "own"\n')
    for words in (("recipes",), ("recipe", "show", "x"), ("config", "show")):
        done = dfopt(*words, cwd=tmp_path, driven=False)
        assert done.returncode == 0, done.stderr
        assert raw(done.stdout) == []


@given(st.text())
def test_any_text(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert raw(printable_lines(text).encode("utf-8", "surrogatepass")) == []
    assert json_text([text]).isprintable()
    assert json.loads(json_text([text])) == [text]


def test_what_is_only_text_stays() -> None:
    for text in ("RUN echo é 日本 🐳", "a::b", "# heading ##", "\x1b[31mfix\x1b[0m"):
        assert printable_lines(text, coloured=True) == text
