"""What no two builds of one Dockerfile repeat, each with its reason, and how the comparison looks past it.

Only content is masked: a path that comes, goes, or changes its type, mode or owner is always a difference. Times of
files are not compared anywhere, since no engine repeats them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from dfopt.record import Record

from .patterns import compile_pattern


class Mask(Record):
    """Content of the paths that match `pattern` is compared after `clean`; `reason` says what differs there."""

    pattern: str
    clean: Callable[[bytes], bytes]
    reason: str


def _nothing(content: bytes) -> bytes:
    return b""


def _without_source_time(content: bytes) -> bytes:
    # PEP 552: 4 bytes of magic, 4 of flags; with flags 0 then the source's mtime and size, else a hash of the source.
    return content[:8] + bytes(4) + content[12:] if content[4:8] == bytes(4) else content


def _without_change_day(content: bytes) -> bytes:
    return re.sub(rb"(?m)^([^:\n]*:[^:\n]*:)\d+:", rb"\1:", content)


MASKS = (
    Mask("/var/log/apt/*", _nothing, "apt writes the start and end time of each run"),
    Mask("/var/log/dpkg.log", _nothing, "dpkg writes the time of each action"),
    Mask("/var/log/alternatives.log", _nothing, "update-alternatives writes the time of each action"),
    Mask("/var/cache/ldconfig/aux-cache", _nothing, "ldconfig keeps inode numbers and change times of libraries"),
    Mask("/var/cache/apt/*.bin", _nothing, "apt's binary caches hold the times of the indexes that they were made of"),
    Mask("/etc/machine-id", _nothing, "systemd's setup makes a random id"),
    Mask("/var/lib/dbus/machine-id", _nothing, "dbus makes a random id"),
    Mask("/etc/ssh/ssh_host_*", _nothing, "openssh-server makes its host keys when it is installed"),
    Mask("/tmp/node-compile-cache/**", _nothing, "V8 writes its code cache as the program happens to run"),
    Mask("/tmp/v8-compile-cache*/**", _nothing, "the same, by a library that Yarn 1 carries"),
    Mask("/**/*.pyc", _without_source_time, "Python writes the mtime of the source that it compiled"),
    Mask("/etc/shadow", _without_change_day, "useradd writes the day; two builds may fall on both sides of midnight"),
    Mask("/etc/shadow-", _without_change_day, "the backup of /etc/shadow"),
)
_COMPILED = [(compile_pattern(mask.pattern), mask.clean) for mask in MASKS]


def stable_digest(path: str, content: bytes) -> str | None:
    """A digest of what is left of `content` when the mask for `path` is applied; None when no mask is meant for it."""
    for pattern, clean in _COMPILED:
        if pattern.fullmatch(path):
            return hashlib.sha256(clean(content)).hexdigest()
    return None
