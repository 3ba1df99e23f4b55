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
    from dfopt.image.merged_tree import PathNode

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
        changes = tuple(
            change for change in self.files if not any(_covers(pattern, change.path) for pattern in patterns)
        )
        return replace(self, files=changes)  # type: ignore[no-any-return]


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
        old_node, new_node = old.get(path), new.get(path)
        if old_node is None or new_node is None:
            kind = ADDED if old_node is None else REMOVED
            files.append(
                FileChange(path, kind, (), old_node.entry if old_node else None, new_node.entry if new_node else None)
            )
        elif fields := _differences(old_node, new_node):
            files.append(FileChange(path, CHANGED, fields, old_node.entry, new_node.entry))
    shared = 0
    for old_layer, new_layer in zip(before.image.layers, after.image.layers, strict=False):
        if old_layer.diff_id != new_layer.diff_id:
            break
        shared += 1
    return Comparison(
        tuple(files),
        tuple(_config_changes(before, after)),
        _figures(before, before_ledger, old),
        _figures(after, after_ledger, new),
        shared,
    )


def _differences(old_node: PathNode, new_node: PathNode) -> tuple[str, ...]:
    old, new = old_node.entry, new_node.entry
    if old is new:
        return ()
    if old.kind != new.kind:
        return ("type",)
    fields = []
    if old.mode != new.mode and old.kind != SYMLINK:  # a link has no mode of its own
        fields.append("mode")
    if old.uid != new.uid or old.gid != new.gid:
        fields.append("owner")
    if old.kind == SYMLINK and old.link != new.link:
        fields.append("target")
    if old.device != new.device:
        fields.append("device")
    if (old.xattrs or {}) != (new.xattrs or {}):
        fields.append("attributes")
    if old.kind == FILE and old.size == new.size and old.size and not (old.sha256 and new.sha256):
        raise ValueError("images are compared by content: read them with hashes")
    if old.kind == FILE and (old.size != new.size or old.sha256 != new.sha256):
        fields.append("content")
    return tuple(fields)


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
    flattened: dict[str, Any] = {"platform": str(contents.image.platform)}
    flattened |= {key: settings[key] for key in _SETTINGS if settings.get(key)}
    for variable in settings.get("Env") or ():
        name, equals, value = str(variable).partition("=")
        flattened[f"Env.{name}"] = value if equals else None
    labels = settings.get("Labels")
    if isinstance(labels, dict):
        flattened |= {f"Labels.{name}": value for name, value in labels.items()}
    return flattened


def _figures(contents: ImageContents, ledger: Ledger, nodes: dict[str, PathNode]) -> ImageSizes:
    return ImageSizes(
        len(contents.layers),
        sum(layer.stored for layer in contents.layers),
        ledger.total_bytes,
        ledger.live_bytes,
        ledger.dead_bytes,
        sum(node.entry.kind != DIRECTORY for node in nodes.values()),
    )
