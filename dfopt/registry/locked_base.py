"""What a lock file keeps of a base image beside its digest: what passes ask of its config and of its files.

    [[base]]
    digest = "sha256:..."
    config = '{"Cmd":["bash"],"Env":["PATH=/usr/bin:/bin"]}'
    release = ["debian", "trixie"]
    files = ["elf /usr/bin/dash", "file /etc/passwd"]
    set-id = ["55680 /usr/bin/su"]
    bytes = 78620000

`digest`: as the tag's, in [[image]]. `config`: the run settings of the image's OCI config, as JSON. `release`: ID and
VERSION_CODENAME (else VERSION_ID) of os-release(5). `files`: of `ASKED`, what the image has, with its kind and where it
lies behind links. `set-id`: the files with a setuid or setgid bit, with their bytes. `bytes`: of
all layers, unpacked; a table without it says nothing of them.
"""

from __future__ import annotations

import json
import re

from dfopt.facts import SEARCH_PATH
from dfopt.record import Record
from dfopt.registry.manifests import is_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What passes ask for: that what they write into a RUN is there
_PROGRAMS = ("sh", "bash", "find", "useradd", "adduser")
ASKED = (*(f"{place}/{name}" for name in _PROGRAMS for place in SEARCH_PATH), "/etc/passwd", "/etc/group")
KINDS = ("elf", "script", "file", "directory", "other")
SETTINGS = (
    "User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Shell", "ExposedPorts", "Volumes", "OnBuild", "StopSignal",
    "Healthcheck", "Labels",
)  # fmt: skip
KEYS = frozenset(("digest", "config", "release", "files", "set-id", "bytes"))
_MOST = 10_000  # rows of a list
_SECRET = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


class LockedBase(Record):
    """One base image. `files`: path -> kind ("elf" ...); `set_id`: path -> bytes; `bytes`: of all layers, unpacked
    (None: not known)."""

    digest: str
    config: dict[str, Any]
    release: tuple[str, str]
    files: dict[str, str]
    set_id: dict[str, int]
    bytes: int | None = None


def told_secret(config: dict[str, Any]) -> str:
    """The first variable of a config whose name is that of a secret, which no lock file is to repeat; "" without."""
    pairs = config.get("Env") or ()
    names = (str(pair).partition("=") for pair in pairs if isinstance(pair, str))
    return next((name for name, _, value in names if value and _SECRET.search(name)), "")


def rows(base: LockedBase) -> list[tuple[str, str | list[str] | int]]:
    """The keys of its table with their values, in their order."""
    config = json.dumps(base.config, sort_keys=True, separators=(",", ":"))
    files = [f"{kind} {path}" for path, kind in sorted(base.files.items())]
    set_id = [f"{size} {path}" for path, size in sorted(base.set_id.items())]
    return [
        ("digest", base.digest), ("config", config), ("release", list(base.release)), ("files", files),
        ("set-id", set_id), *([("bytes", base.bytes)] if base.bytes is not None else []),
    ]  # fmt: skip


def read(table: dict[str, Any]) -> LockedBase:
    """The base image of a table. Raises ValueError."""
    digest = table.get("digest")
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError("`digest` of a [[base]] is not `sha256:` and 64 lower-case hex digits")
    release = _texts(table, "release")
    if len(release) != 2:
        raise ValueError("`release` of a [[base]] must be two strings: ID and VERSION_CODENAME of its os-release")
    files = dict(_pair(text, "files") for text in _texts(table, "files"))
    if any(kind not in KINDS for kind in files.values()):
        raise ValueError(f"`files` of a [[base]] must begin with one of: {', '.join(KINDS)}")
    sizes = dict(_pair(text, "set-id") for text in _texts(table, "set-id"))
    if any(not re.fullmatch(r"\d{1,15}", size) for size in sizes.values()):
        raise ValueError("`set-id` of a [[base]] must begin with numbers of bytes")
    size = table.get("bytes")
    if size is not None and (type(size) is not int or not 0 <= size < 10**15):
        raise ValueError("`bytes` of a [[base]] must be a number of bytes")
    return LockedBase(
        digest, _config(table.get("config")), (release[0], release[1]), files,
        {path: int(size) for path, size in sizes.items()}, size,
    )  # fmt: skip


def _config(text: object) -> dict[str, Any]:
    try:
        config = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise ValueError("`config` of a [[base]] must be the JSON text of an object")
    lists = ("Env", "Entrypoint", "Cmd", "Shell", "OnBuild")
    for key, value in config.items():
        if key not in SETTINGS:
            raise ValueError(f"`config` of a [[base]]: unknown key {key!r}")
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if key in lists and value is not None and not texts:
            raise ValueError(f"`config` of a [[base]]: {key} must be a list of strings")
        if key in ("User", "WorkingDir", "StopSignal") and not isinstance(value, str):
            raise ValueError(f"`config` of a [[base]]: {key} must be a string")
    return config


def _texts(table: dict[str, Any], key: str) -> list[str]:
    value = table.get(key)
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(item, str) for item in value):
        raise ValueError(f"`{key}` of a [[base]] must be a list of strings")
    return value


def _pair(text: str, key: str) -> tuple[str, str]:
    """(path, what stands before it)"""
    first, _, path = text.partition(" ")
    if not path.startswith("/"):
        raise ValueError(f"`{key}` of a [[base]]: {text!r} has no absolute path")
    return path, first
