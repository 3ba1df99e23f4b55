"""What the processes of a container do, by /proc of this machine (proc(5)): programs, the first process's user, sockets
that listen. Nothing is read of arguments, environments and files' contents."""

from __future__ import annotations

import os
import threading

from dfopt.engine.containers import is_runtime
from dfopt.profile.document import faults, schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAUSE = 0.1  # seconds
_TABLES = (("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"), ("udp6", "udp", "07"))  # LISTEN, CLOSE
_EPHEMERAL = 32768  # the first port that a client's UDP socket may get by itself


class ProcessWatch:
    """Looks through /proc again and again, in a thread, until `end`. `first`: the PID of a container's first process on
    this machine; `belongs`: whether a process of that PID is the container's, which it is not where the engine is on
    another machine. `samples`: how often something was seen."""

    def __init__(self, first: int, belongs: Callable[[int], bool]) -> None:
        self.first = first
        self.belongs = belongs
        self.samples = 0
        self.user: str | None = None
        self.programs: set[str] = set()
        self.listens: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dfopt-processes", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stops looking; the latest state is looked at once more."""
        self._ended.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._look()
            self._ended.wait(_PAUSE)

    def _look(self) -> None:
        try:
            if not self.belongs(self.first):
                return
            members = list(_members(self.first))
            programs = set(_programs(members))
            if programs:
                self.samples += 1
                self.programs |= programs
                self.user = self.user or _user(self.first)
                self.listens |= set(_listening(self.first, members))
        except (OSError, LookupError, ValueError):  # it has ended: what is read of it is gone, or cut off
            return


def _members(first: int) -> Iterator[int]:
    """The processes of the PID namespace of `first`; itself alone where that is this process's own. Raises OSError."""
    space = os.readlink(f"/proc/{first}/ns/pid")
    if space == os.readlink("/proc/self/ns/pid"):
        yield first
        return
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.readlink(f"/proc/{name}/ns/pid") == space:
                    yield int(name)
            except OSError:
                continue


def _programs(members: list[int]) -> Iterator[str]:
    for member in members:
        try:
            path = os.readlink(f"/proc/{member}/exe")
        except OSError:
            continue
        if path and not is_runtime(path) and not any(faults(path, schema()["$defs"]["anyPath"])):
            yield path


def _user(pid: int) -> str:
    """UID:GID of a process, as its user namespace has them. Raises OSError."""
    numbers = {}
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            key, _, values = line.partition(":")
            if key in ("Uid", "Gid"):
                numbers[key] = int(values.split()[1])  # the effective one
    return f"{_inside(pid, 'uid_map', numbers['Uid'])}:{_inside(pid, 'gid_map', numbers['Gid'])}"


def _inside(pid: int, table: str, number: int) -> int:
    """A number of this machine as the user namespace of a process has it (user_namespaces(7)). Raises OSError."""
    with open(f"/proc/{pid}/{table}", encoding="ascii") as file:
        for line in file:
            inner, outer, count = map(int, line.split())
            if outer <= number < outer + count:
                return inner + number - outer
    return number


def _listening(first: int, members: list[int]) -> Iterator[str]:
    """`tcp/8080` of each socket of these processes that listens. Raises OSError."""
    sockets = set(_sockets(members))
    for name, protocol, state in _TABLES:
        with open(f"/proc/{first}/net/{name}", encoding="ascii") as file:
            next(file, "")
            for line in file:
                fields = line.split()
                port = int(fields[1].rpartition(":")[2], 16)
                if fields[3] == state and fields[9] in sockets and not (protocol == "udp" and port >= _EPHEMERAL):
                    yield f"{protocol}/{port}"


def _sockets(members: list[int]) -> Iterator[str]:
    """The inodes of the sockets that processes hold."""
    for member in members:
        try:
            handles = os.listdir(f"/proc/{member}/fd")
        except OSError:
            continue
        for handle in handles:
            try:
                target = os.readlink(f"/proc/{member}/fd/{handle}")
            except OSError:
                continue
            if target.startswith("socket:["):
                yield target[8:-1]
