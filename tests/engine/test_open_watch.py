"""Events of fanotify as the kernel gives them, and what a container's watch makes of them, on this machine."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

import pytest

from dfopt.engine import open_watch
from dfopt.engine.base import Container, EngineImage
from dfopt.engine.containers import State, container_state, has_begun, is_runtime, of_container, overlay_mounts
from dfopt.engine.fanotify import EXECUTED, OPENED, OVERFLOW, Fanotify, OpenEvent, parse_events
from dfopt.engine.open_watch import OpenWatch, start_watched
from dfopt.engine.process import Done
from dfopt.refusal import Refusal

METADATA = struct.Struct("=IBBHQii")
HERE = State(os.getpid(), 0, "no-such-container", "/nowhere/merged")


def event(mask: int, descriptor: int, pid: int = 7, more: bytes = b"", version: int = 3) -> bytes:
    size = METADATA.size
    return METADATA.pack(size + len(more), version, 0, size, mask, descriptor, pid) + more


def test_events() -> None:
    descriptors = [os.open(path, os.O_RDONLY) for path in ("/", "/etc")]
    data = (
        event(OPENED, descriptors[0], 5, b"m" * 8) + event(OPENED | EXECUTED, descriptors[1]) + event(OVERFLOW, -1, 0)
    )
    assert list(parse_events(data + b"half an event")) == [
        OpenEvent(OPENED, 5, "/"),
        OpenEvent(OPENED | EXECUTED, 7, os.path.realpath("/etc")),
        OpenEvent(OVERFLOW, 0, ""),
    ]
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


@pytest.mark.parametrize("data", [event(OPENED, -1, version=4), b"\0" * METADATA.size])
def test_events_of_another_version(data: bytes) -> None:
    with pytest.raises(OSError, match="version"):
        list(parse_events(data))


class Queue:
    """In place of Fanotify: what is put in is read once."""

    def __init__(self, *events: OpenEvent) -> None:
        self.waiting = list(events)
        self.closed = False
        self.failure: OSError | None = None

    def mark(self, path: str) -> None:
        raise AssertionError(f"{path} was marked")

    def wait(self, seconds: float, table: int | None = None) -> None:
        os.sched_yield()

    def events(self) -> list[OpenEvent]:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        taken, self.waiting = self.waiting, []
        return taken

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def watch_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Queue], OpenWatch]:
    """A watch over events; the processes below 100 are the container's, 404 has ended."""

    def member(pid: int, identity: str) -> bool:
        if pid == 404:
            raise FileNotFoundError
        return pid < 100

    def made(queue: Queue) -> OpenWatch:
        monkeypatch.setattr(open_watch, "Fanotify", lambda: queue)
        return OpenWatch(HERE)

    monkeypatch.setattr(open_watch, "of_container", member)
    return made


def test_what_is_taken(watch_of: Callable[[Queue], OpenWatch]) -> None:
    """The runtime's files before the first program, and those of other processes, are not."""
    queue = Queue(
        OpenEvent(OPENED, 5, "/etc/passwd"), OpenEvent(EXECUTED, 900, "/usr/sbin/dockerd"),
        OpenEvent(OPENED | EXECUTED, 5, "/srv/app"), OpenEvent(OPENED, 404, "/srv/part (deleted)"),
        OpenEvent(OPENED, 900, "/etc/group"),
    )  # fmt: skip
    watch = watch_of(queue)
    watch.end()
    assert (watch.paths, watch.complete, queue.closed) == ({"/srv/app", "/srv/part"}, True, True)
    assert not watch.from_start


@pytest.mark.parametrize("lost", [OpenEvent(OVERFLOW, 0, ""), OSError(errno.EMFILE, "Too many open files")])
def test_events_that_are_lost(watch_of: Callable[[Queue], OpenWatch], lost: OpenEvent | OSError) -> None:
    queue = Queue(OpenEvent(EXECUTED, 5, "/srv/app"))
    if isinstance(lost, OSError):
        queue.failure = lost
    else:
        queue.waiting.append(lost)
    watch = watch_of(queue)
    watch.end()
    assert not watch.complete


def test_too_many_paths(watch_of: Callable[[Queue], OpenWatch], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_watch, "_MOST", 2)
    watch = watch_of(Queue(*[OpenEvent(OPENED | EXECUTED, 5, f"/{number}") for number in range(3)]))
    watch.end()
    assert (watch.paths, watch.complete) == ({"/0", "/1"}, False)


class Stopped:
    """An engine whose container has ended, as far as this machine can know."""

    name = "docker"

    def __init__(self, tells: bool = True) -> None:
        self.tells = tells
        self.stopped: list[str] = []
        self.runner = self

    def container_call(self, *words: str) -> list[str] | None:
        return list(words) if self.tells else None

    def run(self, words: list[str], timeout: float) -> Done:
        return Done(0, b'{"State": {"Pid": 0, "ExitCode": 0}, "Id": "no-such-container"}', "")

    def start(
        self, image: EngineImage, network: str | None, words: tuple[str, ...], created: Callable[[str], None]
    ) -> Container:
        if self.tells:
            created("c")
        return Container("c", "")

    def stop(self, container: Container) -> None:
        self.stopped.append(container.name)


def denied() -> Fanotify:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def missing() -> Fanotify:
    raise OSError(errno.ENOSYS, "Function not implemented")


@pytest.mark.parametrize(
    ("made", "tells", "reason"),
    [
        (denied, True, "fanotify needs the rights of root (CAP_SYS_ADMIN)"),
        (missing, True, "this system has no fanotify: Function not implemented"),
        (Queue, True, "the container could not be watched: it ended before"),
        (Queue, False, "docker tells nothing of its containers"),
    ],
)
def test_why_there_is_no_watch(
    made: Callable[[], object], tells: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_watch, "Fanotify", made)
    engine = Stopped(tells)
    container, watch = start_watched(engine, EngineImage("i"), None)  # type: ignore[arg-type]
    assert (container.name, engine.stopped) == ("c", [])
    assert isinstance(watch, Refusal)
    assert watch.reason == reason


def test_a_failure_after_the_start_stops_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue()
    monkeypatch.setattr(open_watch, "Fanotify", lambda: queue)

    def fails(watch: OpenWatch) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(OpenWatch, "sees_start", fails)
    engine = Stopped()
    with pytest.raises(KeyboardInterrupt):
        start_watched(engine, EngineImage("i"), None)  # type: ignore[arg-type]
    assert (engine.stopped, queue.closed) == (["c"], True)


def test_where_a_root_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Stopped()
    data = b'{"State": {"Pid": 3}, "Id": "i", "GraphDriver": {"Data": {"UpperDir": "/var/lib/docker/overlay2/a/diff"}}}'
    monkeypatch.setattr(engine, "run", lambda words, timeout: Done(0, data, ""))
    assert container_state(engine, "c") == State(3, 0, "i", "/var/lib/docker/overlay2/a/merged")  # type: ignore[arg-type]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")
def test_this_machine() -> None:
    assert not of_container(os.getpid(), "0" * 64)
    assert not has_begun("0" * 64)
    assert all(point.startswith("/") for point in overlay_mounts())
    assert is_runtime("/usr/sbin/runc")
    assert is_runtime("/memfd:runc_cloned:/proc/self/exe (deleted)")
    assert not is_runtime("/bin/sh")
