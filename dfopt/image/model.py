"""What an image is, whichever archive it came from: platform, config, history, and layers that can be opened."""

from __future__ import annotations

import json
import platform as host
import re

from dfopt.image.errors import ImageError
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.image.layer_stream import BlobStream

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_MACHINES = {
    "x86_64": "amd64", "x86-64": "amd64", "i386": "386", "i686": "386", "aarch64": "arm64", "armv8l": "arm64",
    "armhf": "arm", "armel": "arm", "armv7l": "arm", "armv6l": "arm",
}  # fmt: skip
_DEFAULT_VARIANT = {"arm64": "v8", "arm": "v7", "amd64": "v1"}


class Platform(Record):
    """os/architecture[/variant] in Go's words, as images state it."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def key(self) -> tuple[str, str, str]:
        """Equal for platforms that mean the same: aliases of machines, default variants (arm64 is arm64/v8)."""
        architecture = _MACHINES.get(self.architecture.lower(), self.architecture.lower())
        return self.os.lower(), architecture, self.variant or _DEFAULT_VARIANT.get(architecture, "")


def parse_platform(text: str) -> Platform:
    """`linux/arm64`, `linux/arm/v7` or only `arm64` (linux is meant). ImageError when it is neither."""
    parts = text.strip().lower().split("/")
    if len(parts) == 1:
        parts = ["linux", *parts]
    if len(parts) > 3 or not all(parts):
        raise ImageError(f"not a platform: {text!r} (os/architecture or os/architecture/variant)")
    return Platform(parts[0], _MACHINES.get(parts[1], parts[1]), *parts[2:])


def host_platform() -> Platform:
    """The platform whose images run here: always linux, with this machine's architecture."""
    machine = host.machine().lower()
    return Platform("linux", _MACHINES.get(machine, machine))


class HistoryEntry(Record):
    """One entry of the config's history. `created_by` is text of the builder's own making (see history.py)."""

    created_by: str
    comment: str
    created: str
    empty_layer: bool


class Layer(Record):
    """One layer as stored: `open()` gives a new reader of its raw bytes, compressed or not, from the beginning.

    digest: of the stored bytes, or "" where the archive states none. diff_id: of the tar, from the config. size: the
    stored bytes, or -1 when unknown.
    """

    index: int
    digest: str
    diff_id: str
    size: int
    media_type: str
    open: Callable[[], BlobStream]

    def where(self) -> str:
        """How messages name this layer."""
        return f"layer {self.index} ({(self.digest or self.diff_id)[:19]})"


class Image(Record):
    """name: as asked for or the first of `names`; digest: of the manifest, "" in a docker archive without one.

    config is the whole config document (its run settings are under the key `config`), config_digest names it.
    """

    name: str
    names: tuple[str, ...]
    digest: str
    platform: Platform
    config: dict[str, Any]
    config_digest: str
    history: tuple[HistoryEntry, ...]
    layers: tuple[Layer, ...]

    def settings(self) -> dict[str, Any]:
        """The run settings: Env, Cmd, User and so on; empty when the config has none."""
        value = self.config.get("config")
        return value if isinstance(value, dict) else {}


def check_digest(text: object, where: str) -> str:
    """`algorithm:hex` with the length that the algorithm has; the hex ends up in a path, so nothing else passes."""
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ImageError(f"{where}: not a digest: {text!r}"[:200])
    return text


def parse_json(data: bytes, where: str) -> Any:
    """The JSON value of `data`; ImageError for everything that json can raise, bottomless nesting included."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{where}: not valid JSON: {error}"[:300]) from None


def json_object(data: bytes, where: str) -> dict[str, Any]:
    value = parse_json(data, where)
    if not isinstance(value, dict):
        raise ImageError(f"{where}: a JSON object is expected")
    return value


def field(document: dict[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    """document[key], which must be of `kind`; missing or null gives `default` (an empty `kind` unless stated)."""
    value = document.get(key)
    if value is None:
        return kind() if default is None else default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ImageError(f"{where}: {key} is not {'an' if kind.__name__[0] in 'aeio' else 'a'} {kind.__name__}")
    return value


def platform_of(document: dict[str, Any], where: str) -> Platform:
    """The platform that a config or a descriptor's platform object states; empty texts where it states none."""
    return Platform(
        field(document, "os", str, where),
        field(document, "architecture", str, where),
        field(document, "variant", str, where),
    )


def history_of(config: dict[str, Any], where: str) -> tuple[HistoryEntry, ...]:
    entries = field(config, "history", list, where)
    if not all(isinstance(entry, dict) for entry in entries):
        raise ImageError(f"{where}: history is not a list of objects")
    return tuple(
        HistoryEntry(
            field(entry, "created_by", str, where),
            field(entry, "comment", str, where),
            field(entry, "created", str, where),
            field(entry, "empty_layer", bool, where),
        )
        for entry in entries
    )


def diff_ids_of(config: dict[str, Any], where: str) -> list[str]:
    """rootfs.diff_ids; ImageError when the document is not an image config (a Helm chart, a signature and the like)."""
    rootfs = config.get("rootfs")
    if not isinstance(rootfs, dict) or not isinstance(rootfs.get("diff_ids"), list):
        raise ImageError(f"{where}: not a container image (its config lists no layers)")
    return [check_digest(entry, where) for entry in rootfs["diff_ids"]]
