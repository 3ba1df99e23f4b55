"""Names and labels by which dfopt recognizes its images, containers and folders, also those of a crashed run.

All carry the owner: the machine's boot ID and PID namespace, a process ID, and the start time of that process. What
belongs to a process that has ended may be removed; what another machine created is never touched.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket

LABEL = "dev.dfopt.run"
PREFIX = "dfopt-"


def new_name() -> str:
    """A unique name for an image or a container."""
    return f"{PREFIX}{secrets.token_hex(8)}"


def owner() -> str:
    """This process: `space-pid-began`."""
    pid = os.getpid()
    return f"{_space()}-{pid}-{_began(pid)}"


def abandoned(mark: str) -> bool:
    """Whether `mark` belongs to a process of this machine that has ended."""
    space, _, owner = mark.partition("-")
    pid, _, began = owner.partition("-")
    if space != _space() or not pid.isdecimal() or not began:
        return False
    return _began(int(pid)) != began


def _space() -> str:
    """This machine's boot ID and PID namespace: process IDs have a meaning only within them."""
    words = [socket.gethostname()]
    for read in (_boot, _namespace):
        try:
            words.append(read())
        except OSError:
            words.append("")
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid")


def _began(pid: int) -> str:
    """The start time of a process in clock ticks since boot; "" if there is none, "0" if it is unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):
            return ""
    except (ProcessLookupError, IndexError):
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "0"
