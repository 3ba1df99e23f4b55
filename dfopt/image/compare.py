"""Two images side by side: files by path, type, mode, owner, extended attributes and content; config; layers.

What is compared is what a container sees: the merged file systems, not the layers that make them. Times are left out
(no two builds share them), and so are the sizes of directories. Hardlinks are compared as the files that they are.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from dfopt.image.layers import DIRECTORY, FILE, SYMLINK
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dfopt.image.layers import ImageContents, LayerEntry
    from dfopt.image.ledger import Ledger
    from dfopt.image.tree import PathNode

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

_SETTINGS = (
    "User", "WorkingDir", "Entrypoint", "Cmd", "Shell", "StopSignal", "Healthcheck", "ExposedPorts", "Volumes",
    "OnBuild",
)  # fmt: skip


class FileChange(Record):
    """One path that differs. fields (for `changed`): of type, mode, owner, target, device, attributes, content.

    before and after are the entries, None where the path does not exist.
    """

    path: str
    kind: str
    fields: tuple[str, ...]
    before: LayerEntry | None
    after: LayerEntry | None


class ConfigChange(Record):
    """One setting that differs: `User`, `Env.PATH`, `Labels.version`, `platform` ...; None where it is not set."""

    key: str
    before: Any
    after: Any


class ImageSizes(Record):
    """The sizes of one image. stored: bytes of the blobs in the archive; layer_bytes, live and dead: see ledger.py."""

    layers: int
    stored: int
    layer_bytes: int
    live: int
    dead: int
    files: int


class Comparison(Record):
    """files in the order of their paths, config in the order of its keys; `shared` counts the lowest layers that are
    one and the same in both images."""

    files: tuple[FileChange, ...]
    config: tuple[ConfigChange, ...]
    before: ImageSizes
    after: ImageSizes
    shared: int

    def equal(self) -> bool:
        """Whether a container could tell the images apart by files and config (layers may differ)."""
        return not self.files and not self.config

    def without(self, paths: Iterable[str]) -> Comparison:
        """This comparison less the changes of paths that were announced.

        A path stands for itself and all below it; `*`, `?` and `[...]` are wildcards that match `/` too.
        """
        patterns = [path.rstrip("/") or "/" for path in paths]
        kept = tuple(change for change in self.files if not any(_covers(each, change.path) for each in patterns))
        return replace(self, files=kept)  # type: ignore[no-any-return]


def _covers(pattern: str, path: str) -> bool:
    return (
        pattern == "/"
        or path == pattern
        or path.startswith(f"{pattern}/")
        or (
            any(mark in pattern for mark in "*?[") and (fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*"))
        )
    )


def compare(before: ImageContents, before_ledger: Ledger, after: ImageContents, after_ledger: Ledger) -> Comparison:
    """Compares two images, each given with its ledger (which holds the merged file system)."""
    old = dict(before_ledger.tree.walk())
    new = dict(after_ledger.tree.walk())
    files = []
    for path in sorted(old.keys() | new.keys()):
        left, right = old.get(path), new.get(path)
        if left is None or right is None:
            kind = ADDED if left is None else REMOVED
            files.append(FileChange(path, kind, (), left.entry if left else None, right.entry if right else None))
        elif fields := _differences(left, right):
            files.append(FileChange(path, CHANGED, fields, left.entry, right.entry))
    shared = 0
    for one, two in zip(before.image.layers, after.image.layers, strict=False):
        if one.diff_id != two.diff_id:
            break
        shared += 1
    return Comparison(
        tuple(files),
        tuple(_config_changes(before, after)),
        _figures(before, before_ledger, old),
        _figures(after, after_ledger, new),
        shared,
    )


def _differences(left: PathNode, right: PathNode) -> tuple[str, ...]:
    one, two = left.entry, right.entry
    if one is two:
        return ()
    if one.kind != two.kind:
        return ("type",)
    found = []
    if one.mode != two.mode and one.kind != SYMLINK:  # a link has no mode of its own
        found.append("mode")
    if one.uid != two.uid or one.gid != two.gid:
        found.append("owner")
    if one.kind == SYMLINK and one.link != two.link:
        found.append("target")
    if one.device != two.device:
        found.append("device")
    if (one.xattrs or {}) != (two.xattrs or {}):
        found.append("attributes")
    if one.kind == FILE and one.size == two.size and one.size and not (one.sha256 and two.sha256):
        raise ValueError("images are compared by content: read them with hashes")
    if one.kind == FILE and (one.size != two.size or one.sha256 != two.sha256):
        found.append("content")
    return tuple(found)


def _config_changes(before: ImageContents, after: ImageContents) -> list[ConfigChange]:
    old, new = _flat(before), _flat(after)
    return [
        ConfigChange(key, old.get(key), new.get(key))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def _flat(contents: ImageContents) -> dict[str, Any]:
    """The settings that a container is run by; what is empty is not set."""
    settings = contents.image.settings()
    found: dict[str, Any] = {"platform": str(contents.image.platform)}
    found |= {key: settings[key] for key in _SETTINGS if settings.get(key)}
    for variable in settings.get("Env") or ():
        name, equals, value = str(variable).partition("=")
        found[f"Env.{name}"] = value if equals else None
    labels = settings.get("Labels")
    if isinstance(labels, dict):
        found |= {f"Labels.{name}": value for name, value in labels.items()}
    return found


def _figures(contents: ImageContents, ledger: Ledger, nodes: dict[str, PathNode]) -> ImageSizes:
    return ImageSizes(
        len(contents.layers),
        sum(layer.stored for layer in contents.layers),
        ledger.total_bytes,
        ledger.live_bytes,
        ledger.dead_bytes,
        sum(node.entry.kind != DIRECTORY for node in nodes.values()),
    )
