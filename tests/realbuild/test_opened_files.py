"""What files a container opens, by real containers: from the first one on, and nothing of anybody else."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import pytest

from dfopt.engine import find_engine, open_watch
from dfopt.engine.fanotify import Fanotify
from dfopt.proof import Lab, ProofError, ProofSettings
from dfopt.proof.opened_files import needed_files
from dfopt.proof.smoke_runs import observed_runs

from .engine import Engine
from .leftovers import leftovers
from .plugin import require

COMPUTED = """\
FROM python:3-slim
WORKDIR /app
RUN for name in a b c; do echo "$name" >"part-$name.txt"; done && mkdir data && echo x >data/kept && echo key >key
RUN ln -s part-c.txt link && echo log >log
COPY main.py .
RUN chmod 666 log && chmod 777 .
USER nobody
VOLUME /app/data
ENTRYPOINT ["python", "main.py"]
CMD ["b"]
"""
MAIN = """\
import os, subprocess, sys
part = "part-" + sys.argv[1] + ".txt"
print(open(part).read(), open("link").read(), open("key").read())
os.unlink(part)
open("/tmp/new", "w").write("x")
subprocess.run(["sh", "-c", "exec tail -n 1 log"])
"""
LATER = "import time\nfor _ in range(6000):\n    time.sleep(0.1)\n"
# a program of 130 bytes, which ends at once: exit(0) by the system call
EXIT = bytes.fromhex("31ffb83c0000000f05")
HEADER = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
SEGMENT = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120 + len(EXIT), 120 + len(EXIT), 0x1000)
TINY = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9) + HEADER + SEGMENT + EXIT


class Bench:
    """An engine in a directory of its own, and what its labs say."""

    def __init__(self, folder: Path, found: Any) -> None:
        self.folder = folder
        self.engine = found
        self.said: list[str] = []

    def opened(
        self, dockerfile: str, secrets: tuple[str, ...] = (), *, smoke: str = "", smoke_script: str = ""
    ) -> AbstractSet[str] | None:
        plan = ProofSettings(context=str(self.folder), network="host", smoke=smoke, smoke_script=smoke_script)
        lab = Lab(self.engine, plan, self.said.append)
        built = lab.build(dockerfile.encode(), "", cache=True)
        return needed_files(lab, built, [test.opens for test in observed_runs(lab, built)], secrets)


@pytest.fixture(params=["docker", "podman"])
def bench(
    engine: Engine, fanotify: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    for name in ("t", "config", "context"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    (tmp_path / "context" / "tiny").write_bytes(TINY)
    (tmp_path / "context" / "tiny").chmod(0o755)
    require(request.param)
    with find_engine(request.param) as found:
        yield Bench(tmp_path / "context", found)
        assert found.containers == set()
    assert leftovers(tmp_path / "t") == []


only_docker = pytest.mark.parametrize("bench", ["docker"], indirect=True)


@only_docker
def test_a_name_that_is_computed(bench: Bench) -> None:
    (bench.folder / "main.py").write_text(MAIN + LATER)
    script = bench.folder / "test.sh"
    script.write_text("#!/bin/sh\nuntil docker logs $DFOPT_CONTAINER | grep -q log; do sleep 0.1; done\n")
    script.chmod(0o755)
    paths = bench.opened(COMPUTED, ("/app/key",), smoke_script=str(script))
    assert paths is not None
    assert {path for path in paths if path.startswith("/app/")} == {
        "/app/main.py", "/app/part-b.txt", "/app/part-c.txt", "/app/log", "/app/data/kept",
    }  # fmt: skip
    assert any(path.endswith("/ld-linux-x86-64.so.2") for path in paths)  # the very first ones
    assert any(path.startswith("/usr/bin/python3.") for path in paths)
    assert {path for path in paths if path.endswith(("/codecs.py", "/enum.py"))}  # sources of bytecode
    assert {"/usr/bin/dash", "/usr/bin/tail"} <= paths  # a link was followed, a program started from another
    assert not {path for path in paths if path.startswith("/tmp/")}  # the image does not have it


@only_docker
def test_the_smoke_command_runs_alone(bench: Bench) -> None:
    (bench.folder / "main.py").write_text(MAIN)
    paths = bench.opened(COMPUTED, smoke="cat part-a.txt")
    assert paths is not None
    assert {path for path in paths if path.startswith("/app/")} == {"/app/part-a.txt", "/app/data/kept"}
    assert "/usr/bin/cat" in paths


def test_an_image_without_a_shell_whose_program_ends_at_once(bench: Bench) -> None:
    paths = bench.opened('FROM scratch\nCOPY tiny /bin/tiny\nCOPY tiny /other\nCMD ["/bin/tiny"]\n', smoke="/bin/tiny")
    assert paths == {"/bin/tiny"}


def test_what_a_start_opens(bench: Bench) -> None:
    require("busybox")
    shutil.copy(shutil.which("busybox") or "", bench.folder / "busybox")
    script = bench.folder / "test.sh"
    script.write_text("#!/bin/sh\nsleep 1\n")
    script.chmod(0o755)
    text = 'FROM scratch\nCOPY busybox /bin/cat\nCOPY tiny /a\nCOPY tiny /b\nENTRYPOINT ["/bin/cat"]\nCMD ["/b"]\n'
    assert bench.opened(text, smoke_script=str(script)) == {"/bin/cat", "/b"}


def test_a_test_that_fails(bench: Bench) -> None:
    (bench.folder / "seven").write_bytes(TINY.replace(EXIT, bytes.fromhex("6a075f6a3c580f0590")))
    (bench.folder / "seven").chmod(0o755)
    with pytest.raises(ProofError, match="the smoke test fails: status 7"):
        bench.opened("FROM scratch\nCOPY seven /seven\n", smoke="/seven")


@only_docker
def test_a_start_that_was_not_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mount is found too late: what is opened afterwards is not all, and is not taken for it."""
    monkeypatch.setattr(open_watch, "has_begun", lambda identity: True)
    text = 'FROM busybox:1.37\nCMD ["true"]\n'
    assert bench.opened(text, smoke="sleep 1; cat /etc/passwd") is None
    assert bench.said[-1] == "dfopt: which files are opened is not known: the start of the container was not seen"


@only_docker
def test_without_the_right(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied() -> Fanotify:
        raise PermissionError

    monkeypatch.setattr(open_watch, "Fanotify", denied)
    assert bench.opened("FROM busybox:1.37\nRUN true\n", smoke="true") is None
    assert "needs the rights of root" in bench.said[-1]
