"""dfopt as a process: signals, closed and full outputs, many files, a process that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.running import command, dfopt, environment

OLD = b"FROM a\nRUN old\n"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and devices")


def many(where: Path, number: int, content: bytes = OLD) -> None:
    for index in range(number):
        (where / f"{index:04}.Dockerfile").write_bytes(content)


def start(*args: str, cwd: Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(*args), cwd=cwd, stdout=stdout, stderr=subprocess.PIPE, env=environment(), start_new_session=True
    )


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(tmp_path: Path, jobs: str) -> None:
    """Ctrl-C reaches the whole process group: exit 130, no traceback, no process and no file left over."""
    many(tmp_path, 400, b"FROM a\nRUN old\nRUN wait\n")
    process = start("fix", "--write", "-j", jobs, cwd=tmp_path)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and b"new" not in (tmp_path / "0000.Dockerfile").read_bytes():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert b"KeyboardInterrupt" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert all(path.name.endswith(".Dockerfile") and path.name[0] != "." for path in tmp_path.iterdir())
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert contents == {b"FROM a\nRUN old\nRUN wait\n", b"FROM a\nRUN new\nRUN wait\n"}


@posix
def test_the_reader_goes_away(tmp_path: Path) -> None:
    many(tmp_path, 3000)
    process = start("fix", "-j", "1", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.read(10) == b"--- a/0000"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=180) == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_disk(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(OLD)
    with open("/dev/full", "wb") as full:
        process = start("fix", cwd=tmp_path, stdout=full.fileno())
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 2
    assert b"dfopt: error: cannot write to standard output: No space left on device\n" in errors
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(OLD)
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command("fix")], cwd=tmp_path, capture_output=True, env=environment(),
        check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == (2 if closed == ">&-" else 1)
    assert b"Traceback" not in done.stderr
    if closed == ">&-":
        assert b"standard output is closed" in done.stderr
    else:
        assert b"+RUN new" in done.stdout


@posix
def test_closed_standard_input_that_is_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command("fix", "-")], cwd=tmp_path, capture_output=True,
        env=environment(), check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"<stdin>: error: standard input is closed" in done.stderr


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
@pytest.mark.parametrize("format", ["text", "json"])
def test_processes_do_not_change_the_output(tmp_path: Path, jobs: str, format: str) -> None:
    many(tmp_path, 350)
    (tmp_path / "0100.Dockerfile").write_bytes(b"FROM wrong\n")
    args = ["--output-format", "json"] if format == "json" else []
    serial = dfopt("fix", "-j", "1", *args, cwd=tmp_path)
    done = dfopt("fix", "-j", jobs, *args, cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (serial.stdout, serial.stderr, 2)
    assert serial.stdout.count(b"0349.Dockerfile") == (2 if format == "text" else 1)


def test_a_worker_that_dies_costs_one_file(tmp_path: Path) -> None:
    many(tmp_path, 350)
    (tmp_path / "0010.Dockerfile").write_bytes(b"FROM a\nRUN die\n")
    (tmp_path / "0320.Dockerfile").write_bytes(b"FROM a\nRUN die\n")
    done = dfopt("fix", "--check", "-j", "2", cwd=tmp_path)
    names = [f"{index:04}.Dockerfile" for index in range(350) if index not in (10, 320)]
    assert done.stdout.decode().split() == names
    assert done.returncode == 2
    for name in ("0010", "0320"):
        assert f"{name}.Dockerfile: error: the process that worked on it died\n" in done.stderr.decode()


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path) -> None:
    """Peak memory over 4,000 files stays near that over 400 (each result would take some 20 kB)."""
    resource = pytest.importorskip("resource", reason="needs getrusage")
    assert resource
    content = b"FROM a\n" + b"RUN old\n# " + b"x" * 20000 + b"\n"
    peaks = []
    for number in (400, 4000):
        where = tmp_path / str(number)
        where.mkdir()
        many(where, number, content)
        script = (
            "import resource, subprocess, sys\n"
            "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *command("fix", "-j", "1")], cwd=where, capture_output=True, check=True,
            env=environment(),
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.25
