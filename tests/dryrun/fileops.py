"""What BuildKit's file operations do: COPY, ADD, WORKDIR, heredocs (solver/llbsolver/file of BuildKit 0.13)."""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .tree import group_id, inside, rows

_WILD = re.compile(r"[*?\[]")


class FileError(Exception):
    """The operation fails, as the build would."""


class Missing(FileError):
    """A source that is not there; the message is its path."""


def _identity(root: Path, part: dict[str, Any] | None, file: str) -> int | None:
    """The number of a user or group as LLB names it; None for none."""
    named = ((part or {}).get("User") or {}) if part is not None else None
    if named is None:
        return None
    if "byID" in named:
        return int(named["byID"])
    if "byName" in named:
        name = named["byName"]["name"]
        if file == "/etc/group":
            found = group_id(root, name)
        else:
            found = next((int(row[2]) for row in rows(root, file) if row[0] == name and row[2].isdigit()), None)
        if found is None:
            raise FileError(f"unable to find {'user' if file == '/etc/passwd' else 'group'} {name}")
        return found
    return 0


def _owner(root: Path, data: dict[str, Any]) -> tuple[int, int] | None:
    owner = data.get("owner")
    if not owner:
        return None
    uid = _identity(root, owner.get("user"), "/etc/passwd")
    gid = _identity(root, owner.get("group"), "/etc/group")
    if gid is None and uid is not None:
        gid = next((int(row[3]) for row in rows(root, "/etc/passwd") if row[2] == str(uid) and len(row) > 3), 0)
    return uid or 0, gid or 0


def _make(path: Path, owner: tuple[int, int] | None, root: Path, mode: int = 0o755) -> None:
    """A directory with those above it; what exists stays as it is."""
    missing = []
    while not path.is_dir():
        if path.exists() or path.is_symlink() or path == root:
            raise FileError(f"{str(path)[len(str(root)) :]}: not a directory")
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        one.mkdir()
        one.chmod(mode)
        if owner:
            os.chown(one, *owner)


def mkdir(root: Path, data: dict[str, Any]) -> None:
    _make(inside(root, data["path"]), _owner(root, data), root, data.get("mode", 0o755) & 0o7777)


def mkfile(root: Path, data: dict[str, Any]) -> None:
    path = inside(root, data["path"])
    path.write_bytes(base64.b64decode(data.get("data") or ""))
    mode = data.get("mode", 0o644)
    path.chmod((0o644 if mode == -1 else mode) & 0o7777)
    owner = _owner(root, data)
    if owner:
        os.chown(path, *owner)


def remove(root: Path, data: dict[str, Any]) -> None:
    path = inside(root, data["path"], follow_last=False)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sources(root: Path, pattern: str) -> list[Path]:
    """The paths below `root` that a source of COPY means; none where nothing matches."""
    if not _WILD.search(pattern):
        found = inside(root, pattern)
        return [found] if found.exists() or found.is_symlink() else []
    level = [root]
    for part in (part for part in pattern.split("/") if part not in ("", ".")):
        following: list[Path] = []
        for path in level:
            if not _WILD.search(part):
                one = inside(root, f"{str(path)[len(str(root)) :]}/{part}")
                following += [one] * (one.exists() or one.is_symlink())
            elif path.is_dir():
                following += [child for child in sorted(path.iterdir()) if fnmatchcase(child.name, part)]
        level = following
    return level


class _Copier:
    def __init__(self, root: Path, data: dict[str, Any]) -> None:
        self.root = root
        self.owner = _owner(root, data)
        mode = data.get("mode", -1)
        self.mode = None if mode in (-1, None) else mode & 0o7777
        self.excluded = data.get("excludePatterns") or []

    def facts(self, source: os.stat_result, target: Path, link: bool = False) -> None:
        uid, gid = self.owner or (source.st_uid, source.st_gid)
        os.chown(target, uid, gid, follow_symlinks=False)
        if not link:
            target.chmod(stat.S_IMODE(source.st_mode) if self.mode is None else self.mode)

    def entry(self, source: Path, target: Path, follow: bool = False) -> None:
        found = source.stat() if follow else source.lstat()
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFDIR:
            self.directory(source, target, inner=True)
            return
        if target.is_dir() and not target.is_symlink():
            raise FileError(f"cannot overwrite directory {target.name} with non-directory")
        target.unlink(missing_ok=True)
        if kind == stat.S_IFLNK:
            os.symlink(os.readlink(source), target)
            self.facts(found, target, link=True)
        elif kind == stat.S_IFREG:
            shutil.copyfile(source, target)
            self.facts(found, target)

    def directory(self, source: Path, target: Path, inner: bool = False) -> None:
        """What exists keeps its mode and owner, but for a directory inside of the one that is copied."""
        if target.is_symlink() or target.exists():
            target = inside(self.root, str(target)[len(str(self.root)) :])
        made = not target.exists()
        if made:
            target.mkdir()
        elif not target.is_dir():
            raise FileError(f"cannot copy to non-directory: {target.name}")
        for child in sorted(source.iterdir()):
            if not (child.name == ".dry" and child.is_dir()):
                self.entry(child, target / child.name)
        if made or inner:
            self.facts(source.lstat(), target)


def _unpack(source: Path, target: Path, root: Path, owner: tuple[int, int] | None) -> bool:
    """What ADD does with an archive: True where it is one."""
    try:
        archive = tarfile.open(source)  # noqa: SIM115  # closed below
    except (tarfile.TarError, OSError, EOFError, ValueError):
        return False
    _make(target, None, root)
    with archive:
        for member in archive:
            path = inside(root, f"{str(target)[len(str(root)) :]}/{member.name}", follow_last=False)
            if member.isdir():
                _make(path, None, root)
            elif member.isfile():
                _make(path.parent, None, root)
                content = archive.extractfile(member)
                path.write_bytes(content.read() if content else b"")
            elif member.issym():
                _make(path.parent, None, root)
                path.unlink(missing_ok=True)
                path.symlink_to(member.linkname)
                continue
            else:
                continue
            path.chmod(member.mode & 0o7777)
            os.chown(path, *(owner or (member.uid, member.gid)))
    return True


def copy(root: Path, source_root: Path, data: dict[str, Any]) -> None:
    """COPY or ADD of one source. Raises Missing, FileError."""
    pattern, destination = data["src"], data["dest"]
    found = sources(source_root, pattern)
    if not found:
        if _WILD.search(pattern) and data.get("allowEmptyWildcard"):
            return
        raise Missing(pattern)
    copier = _Copier(root, data)
    into = destination.endswith("/") or len(found) > 1
    for source in found:
        target = inside(root, destination)
        if source.is_dir():
            # what is made for the content of a directory has none of its mode and owner
            _make(target if data.get("dirCopyContents") else target.parent, copier.owner, root)
            copier.directory(source, target)
            continue
        if data.get("attemptUnpackDockerCompatibility") and _unpack(source, target, root, copier.owner):
            continue
        if into or target.is_dir():
            _make(target, copier.owner, root)
            name = source.name if _WILD.search(pattern) else Path(pattern).name
            target = inside(root, f"{destination.rstrip('/')}/{name}")
        else:
            _make(target.parent, copier.owner, root)
        copier.entry(source, target, follow=bool(data.get("followSymlink")))
