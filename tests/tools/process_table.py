"""The processes of this machine, by /proc (proc_pid_stat(5))."""

from __future__ import annotations

import os
from pathlib import Path

PARENT, SESSION = 1, 3  # fields of stat, counted from the state


def living(field: int, number: int) -> list[str]:
    """The processes that run and have that number in that field."""
    found: list[str] = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[field]) == number and fields[0] not in "ZX":
                found.append(entry)
    return found
