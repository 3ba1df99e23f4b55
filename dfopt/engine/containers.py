"""What docker and podman tell of a container, and what /proc of this machine does."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress

from dfopt.engine.base import QUICK
from dfopt.engine.errors import EngineError
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.engine.base import Container, Engine

_LOG_LINES = 12
_RUNTIMES = ("runc", "crun", "conmon", "containerd-shim-runc-v2")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks (proc_pid_mountinfo(5))


class State(Record):
    """A container's state. `pid`: of its first process, 0 where none runs; `identity`: its full ID; `root`: where its
    overlay is mounted while it runs, "" where the engine does not tell."""

    pid: int
    exit_status: int
    identity: str
    root: str


def container_output(engine: Engine, timeout: float, *words: str) -> bytes:
    """The output of a container command. Raises EngineError."""
    call = engine.container_call(*words)
    assert call is not None
    done = engine.runner.run(call, timeout)
    if done.code != 0:
        raise EngineError(f"{engine.name} container {words[0]} failed", done.log)
    return done.output


def container_state(engine: Engine, name: str) -> State:
    """Raises EngineError."""
    output = container_output(engine, QUICK, "inspect", "--format", "{{json .}}", name)
    try:
        document = json.loads(output)
        state = document["State"]
        upper = ((document.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
        root = os.path.join(os.path.dirname(str(upper)), "merged") if upper else ""
        return State(int(state.get("Pid") or 0), int(state.get("ExitCode") or 0), str(document["Id"]), root)
    except (ValueError, TypeError, LookupError, AttributeError):
        raise EngineError(f"{engine.name} container inspect gave no state") from None


def end_of_log(engine: Engine, container: Container) -> str:
    """`: ` and the last lines that a container wrote; "" for none."""
    lines = [line.strip() for line in engine.log(container).split("\n") if line.strip()]
    return f": {' | '.join(lines[-_LOG_LINES:])}" if lines else ""


def of_container(pid: int, identity: str) -> bool:
    """Whether a process is one of the container of that ID: its control group or its mounts name it. Raises OSError."""
    for table in ("cgroup", "mountinfo"):
        with open(f"/proc/{pid}/{table}", encoding="utf-8", errors="surrogateescape") as file:
            if any(identity in line for line in file):
                return True
    return False


def is_runtime(program: str) -> bool:
    """Whether that is what a container's process is before it executes the image's program, or what looks after it;
    runc runs from a copy of itself in memory."""
    return os.path.basename(program) in _RUNTIMES or program.startswith("/memfd:")


def has_begun(identity: str) -> bool:
    """Whether a process of the container of that ID executes something of the image. Raises OSError."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
                is_member = identity in file.read()
            if is_member and not is_runtime(os.readlink(f"/proc/{pid}/exe")):
                return True
    return False


def overlay_mounts(process: str = "self") -> list[str]:
    """Where a process of this machine has overlay file systems mounted. Raises OSError."""
    points: list[str] = []
    with open(f"/proc/{process}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            mount, _, source = line.partition(" - ")
            if source.startswith("overlay "):
                points.append(_OCTAL.sub(lambda match: chr(int(match[1], 8)), mount.split(" ")[4]))
    return points
