"""A naive applier of layers to a real directory, and what is in it: the reference that the ledger is held against.

It knows nothing of trees or marks: a layer's whiteouts first, on what is there, then its entries in order, each with
the plainest system call. Paths must not lead through links (a real link could lead out of the directory).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path

from image.builders import TarEntry

Facts = tuple[str, int, int, int, str, str]


def apply(root: Path, entries: Iterable[TarEntry]) -> None:
    """One layer on top of what is in `root`. Files get their content, mode, owner and time of change."""
    entries = list(entries)
    for info, _ in entries:
        parent, _, name = info.name.rpartition("/")
        if name == ".wh..wh..opq":
            if (root / parent).is_dir():
                for child in list((root / parent).iterdir()):
                    remove(child)
        elif name.startswith(".wh."):
            remove(root / parent / name[4:])
    for info, data in entries:
        if "/.wh." not in f"/{info.name}":
            create(root, info, data)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path) and all(parent.is_dir() for parent in path.parents):
        path.unlink()


def create(root: Path, info: tarfile.TarInfo, data: bytes) -> None:
    path = root
    for part in info.name.split("/")[:-1]:
        path /= part
        if not path.is_dir():
            remove(path)
            path.mkdir(mode=0o755)
            path.chmod(0o755)
    path = root / info.name
    if not (info.isdir() and path.is_dir()):
        remove(path)
    if info.isdir():
        path.mkdir(exist_ok=True)
    elif info.issym():
        path.symlink_to(info.linkname)
        return
    elif info.islnk():
        os.link(root / info.linkname, path, follow_symlinks=False)
        return
    else:
        path.write_bytes(data)
    if os.geteuid() == 0:
        os.chown(path, info.uid, info.gid)
    path.chmod(info.mode)
    os.utime(path, (info.mtime, info.mtime))


def state(root: Path) -> dict[str, Facts]:
    """path -> kind, mode, uid, gid, link target, hash of the content. Owners are -1 where they could not be set."""
    found = {}
    for folder, names, files in os.walk(root):
        for name in names + files:
            path = Path(folder) / name
            status = path.lstat()
            owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else (-1, -1)
            mode = stat.S_IMODE(status.st_mode)
            key = f"/{path.relative_to(root)}"
            if path.is_symlink():
                found[key] = ("symlink", 0, -1, -1, os.readlink(path), "")
            elif path.is_dir():
                found[key] = ("directory", mode, *owner, "", "")
            else:
                found[key] = ("file", mode, *owner, "", hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def inodes(root: Path) -> dict[int, tuple[int, int]]:
    """Of the regular files below `root`: inode -> (size, time of change in whole seconds)."""
    found = {}
    for folder, _, files in os.walk(root):
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            if stat.S_ISREG(status.st_mode):
                found[status.st_ino] = (status.st_size, int(status.st_mtime))
    return found
