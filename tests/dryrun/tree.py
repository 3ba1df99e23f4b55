"""The files of an image in a directory: paths that stay inside it, its users, and what is at each path."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINKS = 40  # as the kernel has it


def inside(root: Path, path: str, follow_last: bool = True) -> Path:
    """Where a path of the image lies: links are followed as they are inside of it. What does not exist is taken as it
    stands; a loop of links ends somewhere inside."""
    pending = [part for part in path.split("/") if part not in ("", ".")]
    done: list[str] = []
    for _ in range(4096):
        if not pending:
            break
        part = pending.pop(0)
        if part == "..":
            done = done[:-1]
            continue
        here = root.joinpath(*done, part)
        if (pending or follow_last) and here.is_symlink() and len(done) < LINKS:
            target = os.readlink(here)
            if target.startswith("/"):
                done = []
            pending = [piece for piece in target.split("/") if piece not in ("", ".")] + pending
            if len(pending) > 400:
                break
            continue
        done.append(part)
    return root.joinpath(*done)


def rows(root: Path, name: str) -> list[list[str]]:
    """The rows of /etc/passwd or /etc/group."""
    try:
        text = inside(root, name).read_text(errors="surrogateescape")
    except OSError:
        return []
    return [line.split(":") for line in text.split("\n") if line.count(":") >= 2]


@dataclass(frozen=True)
class User:
    uid: int
    gid: int
    home: str


def user(root: Path, spec: str) -> User | str:
    """Who `USER spec` is, or what is unknown of it ("user x", "group y")."""
    name, _, group = (spec or "0").partition(":")
    row = next((row for row in rows(root, "/etc/passwd") if name in (row[0], row[2])), None)
    if row is None and not name.isdigit():
        return f"unable to find user {name}"
    uid = int(row[2]) if row and row[2].isdigit() else int(name) if name.isdigit() else 0
    gid = int(row[3]) if row and len(row) > 3 and row[3].isdigit() else 0
    if group:
        found = group_id(root, group)
        if found is None:
            return f"unable to find group {group}"
        gid = found
    return User(uid, gid, row[5] if row and len(row) > 5 and row[5] else "/")


def group_id(root: Path, name: str) -> int | None:
    for row in rows(root, "/etc/group"):
        if name in (row[0], row[2]) and row[2].isdigit():
            return int(row[2])
    return int(name) if name.isdigit() else None


@dataclass(frozen=True)
class Entry:
    """What is at a path: "file", "directory", "link" or "other"; permission bits (0 of a link), owner, and `content`: a
    link's target, or a file's hash."""

    kind: str
    mode: int
    uid: int
    gid: int
    content: str

    def __str__(self) -> str:
        return f"{self.kind} {self.mode:04o} {self.uid}:{self.gid} {self.content[:12]}".strip()


_LEFT_OUT = ("/.dry", "/dev", "/proc", "/sys")


Hashes = dict[tuple[int, int, int], str]  # (inode, size, time of change) -> content: overlays of one tmpfs share inodes


def entry(path: Path, hashes: Hashes | None = None) -> Entry:
    """Raises OSError."""
    found = os.lstat(path)
    kind, mode = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
    if kind == stat.S_IFLNK:
        return Entry("link", 0, found.st_uid, found.st_gid, os.readlink(path))
    if kind == stat.S_IFREG:
        key = found.st_ino, found.st_size, found.st_ctime_ns
        content = hashes.get(key) if hashes is not None else None
        if content is None:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            if hashes is not None:
                hashes[key] = content
        return Entry("file", mode, found.st_uid, found.st_gid, content)
    return Entry("directory" if kind == stat.S_IFDIR else "other", mode, found.st_uid, found.st_gid, "")


def entries(root: Path, hashes: Hashes | None = None) -> Iterator[tuple[str, Entry]]:
    """All paths of the image but what an engine mounts."""
    for directory, directories, files in os.walk(root):
        relative = directory[len(str(root)) :]
        if relative in ("", "/"):
            directories[:] = [name for name in directories if f"/{name}" not in _LEFT_OUT]
        for name in (*directories, *files):
            yield f"{relative}/{name}", entry(Path(directory, name), hashes)
