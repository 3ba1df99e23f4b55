"""Checks beyond equality, for rewrites that change what is in an image or how it runs.

start  starts both images, each as its own user: what start scripts, and the program in directories made for its data,
       may write before must be writable after, and a start that ends well must end well
split  what CMD, ENTRYPOINT, HEALTHCHECK and the scripts that they start name, and directories with a mode or owner of
       their own, are in the image after as they were before; and what a base image brings is not overwritten
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .allowed import Allowed
from .build import Builder, Built
from .sandbox import PATH, STAND_IN, State
from .tree import Entry, User, entries, entry, inside, rows, user
from .world import open_directories

_PATH = re.compile(r"(?<![\w.$}/~*:-])/[\w.@%+/-]*[\w@%+-]")
_LONGEST_NAME = 255  # of a file: a longer word is a command as a whole
_TEXT = 64 * 1024
START = 2  # seconds: most that starts goes on
_UNREAD = re.compile(r"can't open '([^']+)': Permission denied")
# "Is a directory": what bash says of one that it is to run
_DENIED = re.compile(
    r"[^\n]*(?:[Pp]ermission denied|Operation not permitted|Read-only file system|: Is a directory)[^\n]*"
)
_SYSTEM = re.compile(
    r"/(?:dev|proc|sys|tmp|\.dry)(?:/|$)|/(?:bin|etc|usr|lib|sbin|opt|var|home|root|srv|run|var/lib|var/log|usr/bin|usr/local|usr/local/bin)/?$"
)


def _command(config: Mapping[str, Any]) -> list[str]:
    return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]


def _environment(config: Mapping[str, Any]) -> dict[str, str]:
    return {"PATH": PATH, **dict(pair.split("=", 1) for pair in config.get("Env") or [] if "=" in pair)}


def _scripts(root: Path, config: Mapping[str, Any], words: list[str]) -> list[str]:
    """The texts of scripts among the words of a command."""
    found: list[str] = []
    for word in words:
        for place in _places(word, config) if len(word) < _LONGEST_NAME else ():
            path = inside(root, place)
            if path.is_file() and path.stat().st_size < _TEXT:
                data = path.read_bytes()
                if data.startswith(b"#!") and b"\0" not in data and b"/.dry/" not in data[:20]:
                    found.append(data.decode("utf-8", "replace"))
                break
    return found


def _places(word: str, config: Mapping[str, Any]) -> list[str]:
    """Where a word of a command may lie."""
    if word.startswith("/"):
        return [word]
    directory = config.get("WorkingDir") or "/"
    if "/" in word:
        return [os.path.normpath(os.path.join(directory, word))]
    paths = _environment(config)["PATH"].split(":")
    return [os.path.join(one, word) for one in [*paths, directory]]


def named(root: Path, config: Mapping[str, Any]) -> dict[str, Entry]:
    """What the start of an image names and has: path -> what is there, links followed."""
    health = (config.get("Healthcheck") or {}).get("Test") or []
    words = [*_command(config), *health[1:], config.get("WorkingDir") or "/"]
    texts = [word for word in words if " " in word]
    for text in texts:
        words += re.split(r"[\s;&|()'\"=]+", text)
    scripts = _scripts(root, config, words)
    paths: dict[str, None] = {}
    for word in words:
        if word and not word.startswith("-") and " " not in word and len(word) < _LONGEST_NAME:
            paths.update(dict.fromkeys(_places(word, config)))
    for text in (*scripts, *words):
        paths.update(dict.fromkeys(_PATH.findall(text)))
    found: dict[str, Entry] = {}
    for path in paths:
        place = inside(root, path)
        if not _SYSTEM.match(path) and place.exists() and place != root and not _is_stand_in(place):
            found[path] = entry(place)
    return found


def _is_stand_in(path: Path) -> bool:
    """Whether a program is one that came with a package or the base image: another image may bring its own."""
    try:
        return path.is_file() and path.stat().st_size < 64 and path.read_text().endswith(f"\n{STAND_IN}")
    except (OSError, UnicodeDecodeError):
        return False


def split(builder: Builder, before: Built, after: Built, allowed: Allowed) -> str:
    """What the image after has not, or has otherwise, of what the start of the image before relies on."""
    one, two = before.state, after.state
    if not one or not two:
        return ""
    with builder.sandbox.mounted(one) as root:
        wanted = named(root, before.graph.config)
        was = dict(entries(root, builder.worlds.hashes))
        base = dict(_brought(builder, before)) if one[0] != two[0] else {}
        wanted = {
            path: found
            for path, found in wanted.items()
            if base.get(str(inside(root, path))[len(str(root)) :]) != found
        }
        homes = {row[5] for row in rows(root, "/etc/passwd") if len(row) > 5}
        for path in _data_directories(before) - homes:
            found = was.get(path)
            if found is not None and (found.mode, found.uid, found.gid) != (0o755, 0, 0):
                wanted[path] = found
    now = builder.files(two)
    opened = {path for image in before.graph.images() for path in open_directories(image)}
    as_root = after.graph.config.get("User", "").partition(":")[0] in ("", "root", "0")
    with builder.sandbox.mounted(two) as root:
        for path, entry_before in wanted.items():
            place = inside(root, path)
            if not place.exists():
                name = path.rpartition("/")[2]
                elsewhere = any(inside(root, other).exists() for other in _places(name, after.graph.config))
                if entry_before.kind == "file" and elsewhere and path.startswith(("/usr/", "/bin/", "/sbin/")):
                    continue  # the program is found in another directory of PATH
                return f"{path} ({entry_before.kind}) is gone"
            entry_after = entry(place)
            if entry_after.kind != entry_before.kind:
                return f"{path}: {entry_before.kind} became {entry_after.kind}"
            if one[0] != two[0] and entry_before.uid and entry_after.uid:
                # another distribution numbers its users in another way
                entry_after = replace(entry_after, uid=entry_before.uid, gid=entry_before.gid)
            if path in opened and as_root and not entry_after.uid:
                continue  # root writes there, whatever its mode
            if not allowed.change(path, entry_before, entry_after):
                return (
                    f"{path}: {entry_before.mode:04o} {entry_before.uid}:{entry_before.gid} became "
                    f"{entry_after.mode:04o} {entry_after.uid}:{entry_after.gid}"
                )
    if one[0] != two[0]:
        return ""
    brought = dict(_brought(builder, before))
    for path, entry_base in brought.items():
        if (
            entry_base.kind == "file"
            and not allowed.declared(path)
            and was.get(path) == entry_base
            and now.get(path) not in (None, entry_base)
        ):
            return f"{path}, which the base image brings, was overwritten"
    return ""


def _brought(builder: Builder, built: Built) -> Iterator[tuple[str, Entry]]:
    """The files of the base image of a build."""
    if built.state:
        with builder.sandbox.mounted(built.state[:1]) as root:
            yield from entries(root, builder.worlds.hashes)


def _data_directories(built: Built) -> set[str]:
    """Directories that a RUN made and left empty, and volumes: what for but data."""
    found = set(built.graph.config.get("Volumes") or {})
    final = set(built.state or ())
    for op in built.graph.operations:
        if op.kind != "exec":
            continue
        for state in built.steps[op.digest].outputs.values():
            if not state or state[-1] not in final:
                continue
            for directory, directories, files in os.walk(state[-1]):
                if not directories and not files and directory != state[-1]:
                    found.add(directory[len(state[-1]) :])
    return found


def _made_directories(built: Built) -> set[str]:
    """Working directories that the build made: in none of the base images."""
    found = {str(op.data["meta"].get("cwd")) for op in built.graph.operations if op.kind == "exec"}
    found |= {
        str(action["Action"]["mkdir"]["path"])
        for op in built.graph.operations
        if op.kind == "file"
        for action in op.data["actions"]
        if "mkdir" in action["Action"]
    }
    base = (built.state or ("none",))[0]
    return {path for path in found if not os.path.lexists(base + path)}


def _start(builder: Builder, built: Built, who: str | None) -> tuple[int, str, list[str]]:
    """Starts an image: status, output, and the data directories that its command or environment names and its user may
    not write to. `who`: another user than the image's. A stand-in is read to be run, a program is not: one that its
    user may run, and not read, is passed over."""
    config = built.graph.config
    state: State = built.state or ()
    command = _command(config)
    if not command or not state:
        return 0, "", []
    upper = builder.sandbox.layer()
    environment = _environment(config)
    with builder.sandbox.mounted(state, upper) as root:
        for name in (".dry", "proc"):
            (root / name).mkdir(exist_ok=True)
        found = user(root, config.get("User", "") if who is None else who)
        if isinstance(found, str):
            return 125, found, []
        directory = config.get("WorkingDir") or "/"
        inside(root, directory).mkdir(parents=True, exist_ok=True)
        closed: list[str] = []
        spoken = " ".join([*command, *(value for key, value in environment.items() if key != "PATH")])
        for path in sorted(_data_directories(built)):
            if not re.search(rf"(?:^|[\s=:'\"]){re.escape(path)}(?:/|$|[\s'\":])", spoken):
                continue
            place = inside(root, path)
            if place.is_dir() and not path.startswith("/etc/") and not _writable(entry(place), found):
                closed.append(path)  # below /etc lies what is read
        if directory in _made_directories(built) and not _writable(entry(inside(root, directory)), found):
            closed.append(directory)
        status, output, _ = builder.run(root, command, environment, directory, found, seconds=START)
        unread = _UNREAD.search(output)
        if unread is not None and inside(root, unread[1]).is_file() and inside(root, unread[1]).stat().st_mode & 1:
            status, output = 0, ""
    return status, output, closed


def _writable(found: Entry, who: User) -> bool:
    if who.uid == 0:
        return True
    bit = 0o200 if found.uid == who.uid else 0o020 if found.gid == who.gid else 0o002
    return bool(found.mode & bit)


def start(builder: Builder, before: Built, after: Built) -> str:
    """What the start may do before and not after."""
    status, output, closed = _start(builder, before, None)
    status_after, output_after, closed_after = _start(builder, after, None)
    denied, denied_after = set(_DENIED.findall(output)), _DENIED.findall(output_after)
    new = [line for line in denied_after if line not in denied]
    if new and not denied:
        return f"{new[0].strip()[:200]}"
    if status == 0 and status_after not in (0, 124):
        return f"the start ends with {status_after}: {output_after[-200:].strip()}"
    shut = [path for path in closed_after if path not in closed]
    return f"{shut[0]} is not writable for the image's user" if shut else ""
