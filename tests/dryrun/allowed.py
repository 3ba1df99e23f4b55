"""What the applied fixes allow to differ: what they declare of the image, and what calls.toml says of their calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from dfopt.knowledge import load_toml

from .calls import Call
from .effects import programs
from .tree import Entry

_SETID = 0o6000


class Declared(Protocol):
    """The fields of dfopt's `Declares`."""

    @property
    def paths(self) -> tuple[str, ...]: ...
    @property
    def caches(self) -> tuple[str, ...]: ...
    @property
    def modes(self) -> tuple[str, ...]: ...
    @property
    def setid(self) -> tuple[str, ...]: ...
    @property
    def owners(self) -> tuple[str, ...]: ...
    @property
    def settings(self) -> tuple[str, ...]: ...
    @property
    def files(self) -> str: ...


@dataclass(frozen=True)
class Declaration:
    """What a rewrite declares that is not dfopt's."""

    paths: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    setid: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    files: str = ""


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    """`*` and `?` within a name, `**` any number of names, `~` in front any home directory; see dfopt's Declares."""
    home, _, rest = pattern.partition("/")
    text = ""
    for name in rest.split("/"):
        if name == "**":
            text += "(?:/[^/]+)+" if pattern.endswith(f"/{name}") else "(?:/[^/]+)*"
        else:
            text += "/" + "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in name)
    return re.compile(f"(?:/[^/]+)*{text}" if home == "~" else text)  # HOME may be anywhere


@lru_cache(maxsize=1)
def _rows() -> dict[str, Any]:
    return load_toml((Path(__file__).parent / "calls.toml").read_bytes())


@lru_cache(maxsize=1)
def _managers() -> dict[str, Any]:
    return programs()


_WRAPPERS = ("sudo", "eatmydata")


def _inner(words: tuple[str, ...]) -> int:
    """Where the package manager's own words begin: after `sudo -E`, `python -m`."""
    start = 0
    while start < len(words) and words[start] in _WRAPPERS:
        start += 1
        while start < len(words) and (words[start].startswith("-") or "=" in words[start]):
            start += 1
    name = words[start] if start < len(words) else ""
    if name.startswith("python") and "-m" in words[start:]:
        start = words.index("-m", start) + 1
    elif name == "php":
        managers = (at for at in range(start + 1, len(words)) if words[at].rpartition("/")[2] in _managers())
        start = next(managers, start)
    return min(start, len(words) - 1)


def _command(words: tuple[str, ...], row: dict[str, Any]) -> str:
    """The flags ("refreshes", "cleans" ...) of what a package manager is called for; "" where nothing is known."""
    operands: list[str] = []
    skip = False
    for word in words[1:]:
        if skip or (word.startswith("-") and len(word) > 1):
            skip = not skip and word in row.get("value-options", ())
            continue
        operands.append(word)
    for count in (2, 1):
        flags = row.get("commands", {}).get(" ".join(operands[:count]))
        if flags is not None and len(operands) >= count:
            return str(flags)
    return ""


class Allowed:
    """Compiled from the fixes of one rewrite: `passes` names them, `declared` is what each declares."""

    def __init__(self, passes: Iterable[str] = (), declared: Iterable[Declared] = ()) -> None:
        self.passes = tuple(dict.fromkeys(passes))
        rows = [_rows().get(name, {}) for name in self.passes]
        each = list(declared)
        families = {family for one in each for family in one.caches}
        self.paths = [path for one in each for path in one.paths]
        for row in _managers().values():
            if row.get("family") in families:
                for key in ("index", "cache", "cache-links"):
                    self.paths += [pattern for path in row.get(key, ()) for pattern in (path, f"{path}/**")]
        self.modes = [path for one in each for path in one.modes]
        self.setid = [path for one in each for path in one.setid]
        self.owners = [path for one in each for path in one.owners]
        self.settings = [key for one in each for key in one.settings]
        kinds = {one.files for one in each}
        self.files = "any" if "any" in kinds else "fewer" if "fewer" in kinds else ""
        self.flags = {flag for row in rows for flag in row.get("flags", ())}
        self.comes = [pattern for row in rows for pattern in row.get("comes", ())]
        self.values = [tuple(pair) for row in rows for pair in row.get("values", ())]
        self.no_cache = any(row.get("no-cache") for row in rows)
        self.yes = any(row.get("yes") for row in rows)
        self.cleans = any(row.get("cleans") for row in rows)
        self.refreshes = any(row.get("refreshes") for row in rows)
        self.sorts = any(row.get("sorts") for row in rows)
        self.stricter = any(row.get("stricter") for row in rows)
        self.renames = dict(tuple(row["renames"]) for row in rows if "renames" in row)
        self.words = dict(tuple(row["words"]) for row in rows if "words" in row)
        self.gone = {program for row in rows for key in ("wraps", "adds") for program in row.get(key, ())}

    # --- calls

    def call(self, call: Call) -> Call | None:
        """A call without what may differ; None for one that may come or go."""
        if call.program in self.gone:
            return None
        if any(fnmatchcase(str(call), pattern) for pattern in self.comes):
            return None
        start = _inner(call.words)
        before, words = call.words[:start], call.words[start:]
        program = words[0].rpartition("/")[2]
        row = _managers().get(program) or _managers().get(program.rstrip("0123456789."), {})
        flags = _command(words, row)
        if (self.cleans and "cleans" in flags) or (self.refreshes and "refreshes" in flags):
            return None
        if (
            before
            and words[0] == "rm"
            and all(self._matches(self.paths, path) for path in words[1:] if path[:1] != "-")
        ):
            return None
        drop = set(self.flags)
        if self.no_cache:
            drop |= {*row.get("no-cache", ()), *row.get("fresh", ())}
        if self.yes:
            drop |= set(row.get("yes-options", ()))
        kept: list[str] = []
        rest = list(words[1:])
        while rest:
            word = rest.pop(0)
            if rest and any(word == option and fnmatchcase(rest[0], value) for option, value in self.values):
                rest.pop(0)
            elif word not in drop:
                kept.append(self.words.get(word, word))
        if self.sorts and flags:
            kept = [*kept[:1], *sorted(set(kept[1:]))]
        name = self.renames.get(words[0], words[0])
        return replace(call, words=(*before, name, *kept), pipes=(0, 0))

    def chain(self, calls: Iterable[Call]) -> tuple[Call, ...]:
        return tuple(kept for kept in map(self.call, calls) if kept is not None)

    # --- files

    def path(self, path: str, before: Entry | None, after: Entry | None) -> bool:
        """Whether what is at a path may differ so."""
        if self.files == "any" or self._matches(self.paths, path):
            return True
        if before is None or after is None:
            if after is None and self.files == "fewer":
                return True
            one = before or after
            return one is not None and one.kind == "directory" and self._above(path)
        if before.kind != after.kind or before.content != after.content:
            return False
        return self.change(path, before, after)

    def _above(self, path: str) -> bool:
        """Whether a directory is above a path that may come and go."""
        for pattern in self.paths:
            names = pattern.split("/")
            for count in range(2, len(names)):
                if names[count - 1] == "**":
                    break
                if _pattern("/".join(names[:count])).fullmatch(path):
                    return True
        return False

    @staticmethod
    def _matches(patterns: Iterable[str], path: str) -> bool:
        return any(_pattern(pattern).fullmatch(path) for pattern in patterns)

    def declared(self, path: str) -> bool:
        """Whether a path may differ in any way, by name."""
        return self._matches(self.paths, path)

    def change(self, path: str, before: Entry, after: Entry) -> bool:
        """Whether mode and owner of what is at a path may differ so, whatever else may."""
        mode = before.mode == after.mode or self._matches(self.modes, path)
        mode = mode or (after.mode == before.mode & ~_SETID and self._matches(self.setid, path))
        return mode and ((before.uid, before.gid) == (after.uid, after.gid) or self._matches(self.owners, path))

    def setting(self, key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in self.settings)
