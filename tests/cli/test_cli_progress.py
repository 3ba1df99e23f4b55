"""What commands show while they work: on a terminal, in a pipe, and after an interrupt."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine.fake import Fake
from realbuild.synthetic import archive, entry

from cli.running import command, environment
from dfopt.cli import out, progress
from dfopt.cli.progress import StatusDisplay, build_log, listed, say, shown

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SOON = 1.0  # seconds that an interrupt may take
SLACK = 20.0  # times as long on a machine that is busy


class Terminal:
    """dfopt with its standard error on a terminal of 100 columns, and its output in a pipe."""

    def __init__(self, *args: str, cwd: Path, driven: bool = True, env: dict[str, str] | None = None) -> None:
        import fcntl
        import struct
        import termios

        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = subprocess.Popen(
            command(*args, driven=driven), cwd=cwd, stdout=subprocess.PIPE, stderr=slave, stdin=subprocess.DEVNULL,
            env=environment(TERM="xterm", **(env or {})), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.written = b""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:  # Linux: the other end is closed
                return
            if not piece:
                return
            self.written += piece

    def until(self, text: str) -> None:
        """Waits until the terminal was shown a text."""
        deadline = time.monotonic() + 180
        while text not in self.text and time.monotonic() < deadline and self.process.poll() is None:
            time.sleep(0.02)
        assert text in self.text, self.text

    def end(self) -> int:
        assert self.process.stdout is not None
        self.output = self.process.stdout.read()
        self.process.stdout.close()
        status = self.process.wait(180)
        self.reader.join()
        os.close(self.master)
        return status

    @property
    def shown(self) -> str:
        return self.written.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def text(self) -> str:
        return _CONTROL.sub("", self.shown)

    @property
    def left(self) -> str:
        """What stands on the screen at the end."""
        lines = [""]
        row = 0
        for piece in re.split(r"(\r|\n|\x1b\[[0-9;?]*[A-Za-z])", self.shown):
            if piece == "\n":
                row += 1
                lines += [""] * (row == len(lines))
            elif piece == "\x1b[1A":
                row -= 1
            elif piece in ("\r", "\x1b[2K"):
                lines[row] = ""  # what follows a carriage return here is the whole line
            elif not piece.startswith("\x1b"):
                lines[row] += piece
        return "\n".join(line for line in lines if line.strip())


def many(where: Path, number: int, text: str) -> None:
    for index in range(number):
        (where / f"{index:03}.Dockerfile").write_text(text)


def test_many_files_on_a_terminal_and_in_a_pipe(tmp_path: Path) -> None:
    many(tmp_path, 8, "FROM a\nRUN odd\nRUN wait\n")
    terminal = Terminal("fix", "-j", "1", cwd=tmp_path)
    assert terminal.end() == 0
    assert "working on files (" in terminal.text
    assert terminal.left == "dfopt: 0 of 8 files would change; dfopt check lists what else there is"
    piped = subprocess.run(
        command("fix", "-j", "1"), cwd=tmp_path, env=environment(TERM="xterm"), capture_output=True, check=True
    )
    assert piped.stderr.decode().strip() == terminal.left
    quiet = Terminal("fix", "-q", "-j", "1", cwd=tmp_path)
    assert quiet.end() == 0
    assert quiet.written == b""


def test_a_campaign_on_a_terminal(tmp_path: Path) -> None:
    many(tmp_path, 3, "FROM a\nRUN wait\nRUN old\n")
    terminal = Terminal("migrate", "plan", "-j", "1", ".", cwd=tmp_path)
    assert terminal.end() == 1
    assert "working on files" in terminal.text
    assert "3/3" in terminal.text
    assert terminal.left == ""
    assert b"3 files" in terminal.output


@pytest.fixture
def engine(tmp_path: Path) -> Fake:
    fake = Fake(tmp_path / "fake", "docker")
    archive(tmp_path / "image.tar", [entry("a", b"1")])
    fake.answer("buildx", "inspect", out="Name: default\nDriver: docker\n")
    fake.answer("image", "inspect", code=1)
    return fake


def test_a_build_says_what_it_does_on_a_terminal_alone(tmp_path: Path, engine: Fake) -> None:
    engine.answer("build", err="#7 [2/4] RUN make\n", archive=str(tmp_path / "image.tar"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    path = {"PATH": f"{engine.path}{os.pathsep}{os.environ['PATH']}"}
    terminal = Terminal(
        "verify", "--engine", "docker", "Dockerfile", "Dockerfile", cwd=tmp_path, driven=False, env=path
    )
    terminal.end()
    assert "#7 [2/4] RUN make" in terminal.text
    piped = subprocess.run(
        command("verify", "--engine", "docker", "Dockerfile", "Dockerfile", driven=False), cwd=tmp_path,
        env=environment(**path), capture_output=True, check=False,
    )  # fmt: skip
    assert b"RUN make" not in piped.stderr


@pytest.mark.parametrize(
    "args", [("review",), ("history",), ("history", "--rebuild", "out")], ids=["review", "history", "rebuild"]
)
def test_an_image_is_read_on_a_terminal(tmp_path: Path, args: tuple[str, ...]) -> None:
    archive(tmp_path / "image.tar", [entry("a", b"1")])
    terminal = Terminal(*args, "image.tar", cwd=tmp_path, driven=False)
    assert terminal.end() == 0, terminal.text
    assert "reading image.tar" in terminal.text
    assert "reading" not in terminal.left


def interrupt(process: subprocess.Popen[bytes], end: Callable[[], int]) -> float:
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    assert end() == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return time.monotonic() - began


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_says_what_was_done(tmp_path: Path, jobs: str) -> None:
    """A chunk of a worker has 16 files, half a second each: it is not waited for."""
    many(tmp_path, 320, "FROM a\nRUN old\nRUN wait\n")
    terminal = Terminal("fix", "--write", "-j", jobs, cwd=tmp_path)
    terminal.until("fixed 000.Dockerfile")
    assert interrupt(terminal.process, terminal.end) < SOON * SLACK
    (note,) = re.findall(r"dfopt: interrupted: (\d+) files? done, (\d+) with changes\n", terminal.text)
    assert note[0] == note[1]
    assert int(note[0]) - terminal.text.count("fixed ") in (0, 1)  # of the last one the line may be missing
    written = sum("new" in path.read_text() for path in tmp_path.iterdir())
    assert int(note[0]) <= written <= int(note[0]) + 16 * 3 * int(jobs)


@pytest.fixture
def deaf_registry() -> Iterator[str]:
    """A registry that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("args", [("pin",), ("fix", "--online"), ("plan", "--online")], ids=" ".join)
def test_an_interrupt_while_a_registry_is_asked(tmp_path: Path, deaf_registry: str, args: tuple[str, ...]) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {deaf_registry}/a:1\nFROM {deaf_registry}/b:1\n")
    terminal = Terminal(*args, cwd=tmp_path, driven=False)
    terminal.until("asking registries for digests")
    terminal.until("0/2")
    assert interrupt(terminal.process, terminal.end) < SOON * SLACK
    assert "dfopt: interrupted: asking registries for digests (0 of 2 done)" in terminal.left
    assert not (tmp_path / "dfopt.lock").exists()


@pytest.mark.parametrize("level", [("--verify",), ("-O3",)], ids=" ".join)
def test_an_interrupt_while_something_is_built(tmp_path: Path, engine: Fake, level: tuple[str, ...]) -> None:
    engine.answer("build", hang="yes")
    (tmp_path / "Dockerfile").write_text("FROM debian:13\nRUN apt-get update && apt-get install -y curl\n")
    path = {"PATH": f"{engine.path}{os.pathsep}{os.environ['PATH']}"}
    terminal = Terminal("fix", *level, "--engine", "docker", cwd=tmp_path, driven=False, env=path)
    terminal.until("waiting")
    assert interrupt(terminal.process, terminal.end) < SOON * SLACK
    assert "dfopt: interrupted: 0 files done; stopped at Dockerfile: built as it is" in terminal.left


@pytest.mark.parametrize("level", [("--verify",), ("-O3",)], ids=" ".join)
def test_an_interrupt_while_a_smoke_test_runs(tmp_path: Path, engine: Fake, level: tuple[str, ...]) -> None:
    """A container's first program is deaf to signals that it does not handle: the container is removed at once."""
    engine.answer("build", archive=str(tmp_path / "image.tar"))
    engine.answer("save", archive=str(tmp_path / "image.tar"))
    engine.answer("run", hang="deaf")
    (tmp_path / "Dockerfile").write_text("FROM debian:13\nRUN apt-get update && apt-get install -y curl\n")
    path = {"PATH": f"{engine.path}{os.pathsep}{os.environ['PATH']}"}
    words = ("fix", *level, "--engine", "docker", "--smoke", "ls")
    terminal = Terminal(*words, cwd=tmp_path, driven=False, env=path)
    terminal.until("smoke test: ls")
    deadline = time.monotonic() + 60
    while not (started := engine.calls("run", "--entrypoint")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert interrupt(terminal.process, terminal.end) < SOON * SLACK
    assert "dfopt: interrupted: 0 files done; stopped at Dockerfile: smoke test: ls" in terminal.left
    assert engine.calls("rm", "--force", started[0][started[0].index("--name") + 1])


# -- the display itself --------------------------------------------------------------------------------------------


class Screen(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Screen:
    fake = Screen(io.BytesIO(), encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stderr", fake)
    monkeypatch.setenv("TERM", "xterm")
    return fake


def seen(screen: Screen) -> str:
    assert isinstance(screen.buffer, io.BytesIO)
    return screen.buffer.getvalue().decode()


def test_nothing_is_imported_or_shown_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(progress, "_display", lambda *_: pytest.fail("a display was made"))
    with StatusDisplay("one", 3) as display:
        assert list(display.over("abc")) == ["a", "b", "c"]
        say("two")
    assert written.buffer.tell() == 0  # type: ignore[attr-defined]
    assert out.before_output is None


def test_what_is_printed_takes_the_line_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_of(monkeypatch)
    with StatusDisplay("step <one> [bold]") as display:
        assert "step <one> [bold]" in seen(screen)
        before = len(seen(screen))
        out.note("a note\n")
        rest = seen(screen)[before:]
        assert rest.endswith("a note\n")
        assert "\x1b[2K" in rest
        assert "step" not in _CONTROL.sub("", rest).split("\n")[-2]
        display.say("step two\x1b[31m")
        assert "\x1b[31m" not in seen(screen)
    assert out.before_output is None


def test_a_long_first_step_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_of(monkeypatch)
    with StatusDisplay("a long step", after=0.1):
        deadline = time.monotonic() + 60
        while "a long step" not in seen(screen) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "a long step" in seen(screen)


def test_a_short_run_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal_of(monkeypatch)
    assert list(shown("work", [1, 2], after=60)) == [1, 2]
    assert listed([1, 2]) == [1, 2]
    assert seen(screen) == ""


def test_the_log_of_a_build_stands_behind_the_step() -> None:
    with StatusDisplay("at first") as display:
        build_log("#1 loading")
        assert display.step == "at first | #1 loading"
        build_log("dfopt: built as it is", "x/Dockerfile")
        build_log("#2 a | b", "x/Dockerfile")
        build_log("#3 done", "x/Dockerfile")
        assert display.step == "x/Dockerfile: built as it is | #3 done"


def test_what_an_interrupt_says(capfd: pytest.CaptureFixture[str]) -> None:
    display = StatusDisplay("reading files", 7)
    display.advance()
    with pytest.raises(KeyboardInterrupt), display:
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="x"), StatusDisplay("reading files", 7):
        raise ValueError("x")
    assert capfd.readouterr().err == "dfopt: interrupted: reading files (1 of 7 done)\n"
