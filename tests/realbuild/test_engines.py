"""The product's engines, really: what they build, and that nothing is left of it, however it ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfopt.engine import Build, BuildError, EngineError, EngineTimeLimitError, NoEngineError, find_engine, marks
from dfopt.engine.base import remove_folder
from dfopt.engine.facts import EngineFacts
from dfopt.image import open_archive, read_image
from dfopt.image.ledger import make_ledger

from .bridge import bridge
from .engine import Engine
from .leftovers import leftovers
from .plugin import require

ROOT = Path(__file__).resolve().parents[2]
BUSYBOX = b"FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/sleep\n"
SERVER = b'ENTRYPOINT ["/bin/sh", "-c", "echo ready; exec sleep 600"]\n'
NAMES = ["docker", "buildah", "podman"]


@pytest.fixture
def temporary(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR, and DOCKER_HOST of the tests' engine; what is in it at the end is a fault."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.json").write_text("{}")  # nobody's credentials
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    # a machine that is a container itself can run steps in no other way
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    return folder


@pytest.fixture
def context(tmp_path: Path) -> str:
    require("busybox")
    folder = tmp_path / "context"
    folder.mkdir()
    shutil.copy(shutil.which("busybox") or "", folder / "busybox")
    return str(folder)


@pytest.mark.parametrize("name", NAMES)
def test_build_run_start_save(temporary: Path, context: str, name: str) -> None:
    require(name)
    lines: list[str] = []
    args = ("A=1",)
    text = BUSYBOX + b"ARG A\nRUN echo $A >/a\n" + SERVER + b"FROM scratch AS unwanted\nCOPY missing /\n"
    text = text.replace(b"FROM scratch\n", b"FROM scratch AS wanted\n", 1)
    with find_engine(name) as one:
        image = one.build(Build(context, text, target="wanted", args=args, network="host"), 120, lines.append)
        assert any("RUN" in line for line in lines)
        ran = one.run(image, ("/bin/sh", "-c", "cat /a; exit 3"), "host", 60)
        assert (ran.code, ran.output) == (3, b"1\n")
        container = one.start(image, "host")
        assert container.address == "127.0.0.1"
        for _ in range(1200):
            if "ready" in one.log(container):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the container never said that it was ready")
        one.stop(container)
        with open_archive(one.save(image)) as archive:
            contents = read_image(archive.image())
        assert {entry.path for layer in contents.layers for entry in layer.entries} >= {"/bin/sh", "/a"}
        config = EngineFacts(one).image_config(image.name)
        assert config is not None
        assert config["Entrypoint"][0] == "/bin/sh"
        assert one.config("no-such-image-of-dfopt") is None
        size = EngineFacts(one).image_bytes(image.name)
        assert size is not None
        assert size == pytest.approx(make_ledger(contents.layers).total_bytes, rel=0.01)
        assert one.image_bytes("no-such-image-of-dfopt") is None
        with pytest.raises(EngineError, match="nothing is pulled"):
            one.find("no-such-image-of-dfopt")
    assert leftovers(temporary) == []


@pytest.mark.parametrize("name", NAMES)
def test_failing_build(temporary: Path, context: str, name: str) -> None:
    require(name)
    with find_engine(name) as one, pytest.raises(BuildError, match=r"exit code: 7|exit status 7"):
        one.build(Build(context, BUSYBOX + b"RUN exit 7\n", network="host"), 120)
    assert leftovers(temporary) == []


@pytest.mark.parametrize("name", NAMES)
def test_hanging_build(temporary: Path, context: str, name: str) -> None:
    require(name)
    with find_engine(name) as one, pytest.raises(EngineTimeLimitError, match="took over 5 s"):
        one.build(Build(context, BUSYBOX + b"RUN sleep 600\n", network="host"), 5)
    assert leftovers(temporary) == []


KILLED = """
import sys
from dfopt.engine import Build, find_engine
engine = find_engine(sys.argv[1])
engine.build(Build(sys.argv[2], b"FROM scratch\\nCOPY busybox /bin/sh\\n", network="host"), 60)
text = b"FROM scratch\\nCOPY busybox /bin/sh\\nCOPY busybox /bin/sleep\\nRUN sleep 600\\n"
engine.build(Build(sys.argv[2], text, network="host"), 600, lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("name", NAMES)
def test_killed_build_is_cleaned_up_by_the_next_start(temporary: Path, context: str, name: str) -> None:
    require(name)
    process = subprocess.Popen([sys.executable, "-c", KILLED, name, context], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"RUN sleep 600" in line:
                break
        time.sleep(1)  # the step has been told of, and begins
    finally:
        process.kill()  # only dfopt's own process: nothing that it could have cleaned up is
        process.wait()
        process.stdout.close()
    assert [entry for entry in temporary.iterdir() if entry.name.startswith(f"{marks.PREFIX}{name}-")]
    _wait_for(lambda: not _clients(context))
    with find_engine(name):
        pass
    assert leftovers(temporary) == []


def _clients(context: str) -> list[str]:
    """The engine's command lines that still run, since nobody ended them; they are ended here, at once."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if context in words and "build" in words:
                os.kill(int(entry), signal.SIGKILL)
                found.append(" ".join(words))
    return found


def _wait_for(done: Callable[[], bool], tries: int = 1200) -> None:
    for _ in range(tries):
        if done():
            return
        time.sleep(0.1)
    pytest.fail("it does not end")


@pytest.fixture
def other_engine(may_start_engine: None) -> Iterator[str]:
    """The socket of a second dockerd, one that keeps images in containerd: its BuildKit exports archives, as one by
    itself does."""
    folder = tempfile.mkdtemp(prefix="dfopt-dockerd.", dir="/tmp")  # short: sockets' paths hold 104 characters
    space = os.path.basename(folder)
    Path(folder, "daemon.json").write_text('{"features": {"containerd-snapshotter": true}}')
    words = ["dockerd", "--config-file", f"{folder}/daemon.json", "--data-root", f"{folder}/data"]
    words += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "--host", f"unix://{folder}/s"]
    words += ["--containerd-namespace", space, "--containerd-plugins-namespace", f"{space}-plugins"]
    words += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    asked = ["docker", "--host", f"unix://{folder}/s", "version"]
    daemon: subprocess.Popen[bytes] | None = None

    def settled() -> bool:
        assert daemon is not None
        return (
            daemon.poll() is not None
            or subprocess.run(asked, capture_output=True, timeout=60, check=False).returncode == 0
        )

    try:
        for _ in range(3):  # on a machine under load its containerd may come too late for it, and it gives up
            with open(f"{folder}/log", "ab") as log:
                daemon = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            _wait_for(settled)
            if daemon.poll() is None:
                break
        else:
            pytest.fail(f"a second dockerd does not start: {Path(folder, 'log').read_text()[-2000:]}")
        yield f"{folder}/s"
    finally:
        if daemon is not None:
            daemon.terminate()
            daemon.wait(60)
        remove_folder(folder)


def test_builder_elsewhere_by_its_address(temporary: Path, context: str, other_engine: str) -> None:
    """The image comes from a BuildKit that is not the engine's, as a file; the engine runs it."""
    with bridge(other_engine) as address, find_engine(None, address) as one:
        image = one.build(Build(context, BUSYBOX + b'CMD ["sh"]\n'), 120)
        assert os.path.getsize(image.archive) > 500_000
        with open_archive(one.save(image)) as archive:
            assert len(read_image(archive.image()).layers) == 2
        ran = one.run(image, ("/bin/sh", "-c", "echo here"), "none", 60)
        assert (ran.code, ran.output) == (0, b"here\n")
        with pytest.raises(BuildError, match="no-such-file"):
            one.build(Build(context, BUSYBOX + b"COPY no-such-file /\n"), 120)
    assert leftovers(temporary) == []


def test_builder_elsewhere_that_is_not_there(temporary: Path) -> None:
    with pytest.raises(NoEngineError, match=r"builder tcp://127\.0\.0\.1:9 does not respond"):
        find_engine(None, "tcp://127.0.0.1:9")
    assert leftovers(temporary) == []
