"""`dfopt fix -i`, on a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import command, dfopt, environment

APT = "RUN apt-get update && apt-get install -y --no-install-recommends git python3-pip"
PIP = "RUN pip install flask"
MIDDLE = "".join(f"LABEL l{number}={number}\n" for number in range(8))
TEXT = f'FROM debian:13-slim\n{APT}\n{MIDDLE}{PIP}\nCMD ["python3"]\n'
CLEAN = f"{APT} && rm -rf /var/lib/apt/lists/*"
NO_CACHE = "RUN pip install --no-cache-dir flask"
PROMPT = re.compile(r"apply this hunk \[[a-z,?]+\]\? ")


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, directory: Path, *args: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command(*args, driven=False), cwd=directory, stdin=slave, stdout=slave, stderr=slave,
            env=environment(), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""
        self.at = 0

    def until(self, pattern: re.Pattern[str]) -> str:
        """What is shown up to the next match. Fails where the process ends before that."""
        while True:
            match = pattern.search(self.seen, self.at)
            if match:
                shown = self.seen[self.at : match.end()]
                self.at = match.end()
                return shown
            assert self._read(), f"the process ended: {self.seen}"

    def answer(self, *lines: str) -> str:
        """Answers as many questions; what is shown after the last, up to the end."""
        for line in lines:
            self.until(PROMPT)
            os.write(self.master, line.encode() + b"\n")
        while self._read():
            pass
        self.process.wait(timeout=60)
        return self.seen[self.at :]

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 60)
        assert ready, f"nothing more came: {self.seen}"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side has closed it
            return False
        self.seen += data.decode().replace("\r\n", "\n")
        return bool(data)

    def close(self) -> None:
        os.close(self.master)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(TEXT)
    return tmp_path


@pytest.fixture
def terminal(directory: Path) -> Iterator[Terminal]:
    opened = Terminal(directory, "fix", "-i", "--isolated", "Dockerfile")
    yield opened
    opened.close()


def text_of(directory: Path) -> str:
    return (directory / "Dockerfile").read_text()


def test_each_hunk_is_shown_and_asked_about(directory: Path, terminal: Terminal) -> None:
    first = terminal.until(PROMPT)
    assert f"+{CLEAN}\n" in first
    assert NO_CACHE not in first
    assert "# line 2: apt-cleanup: " in first
    assert "(1/2) Dockerfile: apply this hunk [y,n,d,e,a,q,?]? " in first
    os.write(terminal.master, b"n\n")
    second = terminal.until(PROMPT)
    assert f"+{NO_CACHE}\n" in second
    assert text_of(directory) == TEXT, "nothing is written before the file is through"
    os.write(terminal.master, b"y\n")
    assert "dfopt: 1 file written\n" in terminal.answer()
    assert text_of(directory) == TEXT.replace(PIP, NO_CACHE)
    assert terminal.process.returncode == 0


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        pytest.param(("y", "y"), TEXT.replace(APT, CLEAN).replace(PIP, NO_CACHE), id="both"),
        pytest.param(("n", "n"), TEXT, id="none"),
        pytest.param(("a",), TEXT.replace(APT, CLEAN).replace(PIP, NO_CACHE), id="all"),
        pytest.param(("n", "a"), TEXT.replace(PIP, NO_CACHE), id="all-later-ones"),
        pytest.param(("q",), TEXT, id="quit"),
        pytest.param(("y", "q"), TEXT.replace(APT, CLEAN), id="quit-keeps-what-was-accepted"),
        pytest.param(
            ("d", "y"), TEXT.replace(APT, f"# dfopt: ignore=apt-cleanup\n{APT}").replace(PIP, NO_CACHE), id="d"
        ),
        pytest.param(("x", "?", "Y", "n"), TEXT.replace(APT, CLEAN), id="no-key"),
        pytest.param(("\x04",), TEXT, id="end-of-input"),
    ],
)
def test_answers(directory: Path, terminal: Terminal, answers: tuple[str, ...], text: str) -> None:
    terminal.answer(*answers)
    assert text_of(directory) == text


def test_what_is_remembered_is_not_offered_again(directory: Path, terminal: Terminal) -> None:
    terminal.answer("d", "d")
    assert text_of(directory).count("# dfopt: ignore=") == 2
    done = dfopt("fix", "--isolated", cwd=directory, driven=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_explain_prints_the_page_and_asks_again(directory: Path, terminal: Terminal) -> None:
    terminal.until(PROMPT)
    os.write(terminal.master, b"e\n")
    page = terminal.until(PROMPT)
    assert "apt-cleanup (size; on by default" in page
    assert "Refuses:" in page
    assert "(1/2) Dockerfile: apply" in page
    os.write(terminal.master, b"q\n")
    terminal.answer()
    assert text_of(directory) == TEXT


def test_fixes_that_share_a_hunk_are_one_question(directory: Path) -> None:
    (directory / "Dockerfile").write_text(
        "FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends git\n"
    )
    terminal = Terminal(directory, "fix", "-i", "--isolated", "Dockerfile")
    shown = terminal.until(PROMPT)
    assert "(1/1)" in shown
    assert ": merge-run: " in shown
    assert ": apt-cleanup: " in shown
    os.write(terminal.master, b"y\n")
    terminal.answer()
    assert "rm -rf /var/lib/apt/lists" in text_of(directory)
    terminal.close()


def test_undo_takes_it_back(directory: Path, terminal: Terminal) -> None:
    terminal.answer("a")
    assert text_of(directory) != TEXT
    done = dfopt("fix", "--undo", cwd=directory, driven=False)
    assert (done.returncode, done.stderr) == (0, b"restored Dockerfile\ndfopt: 1 file restored\n")
    assert text_of(directory) == TEXT


def test_an_interrupt_writes_nothing(directory: Path, terminal: Terminal) -> None:
    terminal.until(PROMPT)
    os.write(terminal.master, b"y\n")
    terminal.until(PROMPT)
    terminal.process.send_signal(2)
    terminal.process.wait(timeout=60)
    assert terminal.process.returncode == 130
    assert text_of(directory) == TEXT


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param((), b"-i needs a terminal", id="no-terminal"),
        pytest.param(("--check",), b"-i and --check exclude each other", id="check"),
        pytest.param(("--output-format", "json"), b"-i and --output-format exclude each other", id="format"),
        pytest.param(("-",), b"it asks on standard input", id="stdin"),
    ],
)
def test_usage(directory: Path, args: tuple[str, ...], message: bytes) -> None:
    done = dfopt("fix", "-i", *args, cwd=directory, driven=False)
    assert done.returncode == 2
    assert message in done.stderr
