"""Packages and their bytes: dpkg, apk, rpm, pip and npm, from their databases in the image.

The bytes of a package are those of its files in the merged file system, each inode once; a package whose database lists
no files has the size that its manager reports. Sources: dpkg(1) and deb-control(5); apk's wiki page "Apk spec";
Python's "Recording installed projects" (RECORD); npm's package.json; rpm.py reads rpm's headers.
"""

from __future__ import annotations

import json
import re

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.image.layers import LayerEntry
    from dfopt.image.merged_tree import PathNode, Tree

_DPKG_LIST = re.compile(r"/var/lib/dpkg/info/([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\.list")
_DPKG_STATUS = re.compile(r"/var/lib/dpkg/status(?:\.d/[^/.]+)?")
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_RPM = ("/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite")
_RECORD = re.compile(r"(/.+)/([^/]+?)-([^/-]+)\.dist-info/RECORD")
_NPM = re.compile(r"(/(?:.+/)?node_modules/((?:@[^/]+/)?[^/@][^/]*))/package\.json")
_SMALL, _LARGE = 4 << 20, 64 << 20
_ALL = 256 << 20  # bytes of databases in memory at a time


class Package(Record):
    """An installed package. manager: dpkg, apk, rpm, pip or npm; size: bytes; layer: the last that touched its record,
    -1 when not known; files: how many regular files it has, -1 when its database does not say."""

    manager: str
    name: str
    version: str
    size: int
    layer: int
    files: int


class Databases:
    """The databases of all layers. Layers may come in any order (archives order them differently), so every version is
    kept until the merged file system shows which one is live."""

    def __init__(self) -> None:
        self.files: list[tuple[LayerEntry, bytes]] = []
        self.npm: list[tuple[LayerEntry, str, str, str]] = []  # directory, name and version
        self.held = 0
        self.left_out = 0

    def wanted(self, entry: LayerEntry) -> int:
        """The number of bytes needed from a file; 0 if it is not a database."""
        path = entry.path
        limit = 0
        if path.endswith("/package.json"):
            limit = _SMALL if _NPM.fullmatch(path) else 0
        elif path in _RPM:
            limit = _LARGE
        elif path.startswith("/var/lib/dpkg/"):
            limit = _SMALL * 4 if _DPKG_STATUS.fullmatch(path) or _DPKG_LIST.fullmatch(path) else 0
        elif path in _APK or path.endswith(".dist-info/RECORD"):
            limit = _SMALL * 4
        if limit and (entry.size > limit or self.held + entry.size > _ALL):
            self.left_out += 1
            return 0
        return limit

    def keep(self, entry: LayerEntry, content: bytes) -> None:
        match = _NPM.fullmatch(entry.path) if entry.path.endswith("/package.json") else None
        if match is not None:
            name, version = _npm_identity(content, match[2])
            self.npm.append((entry, match[1], name, version))
            return
        self.files.append((entry, content))
        self.held += len(content)


def _npm_identity(content: bytes, directory: str) -> tuple[str, str]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return directory, ""
    if not isinstance(document, dict):
        return directory, ""
    name, version = document.get("name"), document.get("version")
    return name if isinstance(name, str) and name else directory, version if isinstance(version, str) else ""


def packages_of(databases: Databases, tree: Tree) -> list[Package]:
    """The packages of the merged file system, the largest first. Databases that were deleted or replaced by ones that
    were not seen count nothing."""
    alive = {entry.path: content for entry, content in databases.files if _alive(tree, entry)}
    packages: list[Package] = []
    packages += _dpkg(alive, tree)
    packages += _apk(alive, tree)
    for path in _RPM:
        if path in alive:
            from dfopt.image.rpm import installed

            layer = _layer(tree, path)
            for name, version, stated, paths in installed(alive[path]):
                size, count = _measure(tree, paths)
                countable = count > 0
                packages.append(
                    Package("rpm", name, version, size if countable else stated, layer, count if countable else -1)
                )
    packages += _pip(alive, tree)
    packages += _npm(databases, tree)
    return sorted(packages, key=lambda package: (-package.size, package.manager, package.name, package.version))


def _alive(tree: Tree, entry: LayerEntry) -> bool:
    node = tree.find(entry.path)
    return node is not None and node.inode is not None and node.inode.entry is entry


def _layer(tree: Tree, path: str) -> int:
    node = tree.find(path)
    return node.layer if node is not None else -1


def _measure(tree: Tree, paths: Iterable[str]) -> tuple[int, int]:
    """Bytes and number of the regular files among the paths, each inode once."""
    counted: set[int] = set()
    size = 0
    for path in paths:
        node = tree.find(path)
        if node is not None and node.inode is not None and id(node.inode) not in counted:
            counted.add(id(node.inode))
            size += node.inode.entry.size
    return size, len(counted)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of a control file; continuation lines are dropped."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            key, colon, value = line.partition(":")
            if colon:
                fields[key] = value.strip()
    if fields:
        yield fields


def _dpkg(alive: dict[str, bytes], tree: Tree) -> Iterator[Package]:
    lists: dict[str, list[str]] = {}
    for path in alive:
        match = _DPKG_LIST.fullmatch(path)
        if match is not None:
            lists.setdefault(match[1], []).append(path)
    for path, content in alive.items():
        if not _DPKG_STATUS.fullmatch(path):
            continue
        for fields in paragraphs(_text(content)):
            state = fields.get("Status", "install ok installed")
            name = fields.get("Package", "")
            if not name or not state.endswith(" installed"):
                continue
            stated = fields.get("Installed-Size", "")
            size, count, layer = _number(stated) * 1024, -1, _layer(tree, path)
            lists_of_package = lists.get(name, [])
            list_paths = [
                list_path
                for list_path in lists_of_package
                if list_path.endswith(f":{fields.get('Architecture', '')}.list")
            ] or lists_of_package
            if list_paths:
                size, count = _measure(
                    tree, [line for list_path in list_paths for line in _text(alive[list_path]).split("\n") if line]
                )
                layer = max(_layer(tree, list_path) for list_path in list_paths)
            yield Package("dpkg", name, fields.get("Version", ""), size, layer, count)


def _number(text: str) -> int:
    """A count of bytes or kilobytes; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _apk(alive: dict[str, bytes], tree: Tree) -> Iterator[Package]:
    for path in _APK:
        for block in _text(alive.get(path, b"")).split("\n\n"):
            fields: dict[str, str] = {}
            files: list[str] = []
            folder = ""
            for line in block.split("\n"):
                key, colon, value = line.partition(":")
                if not colon:
                    continue
                if key == "F":
                    folder = value
                elif key == "R":
                    files.append(f"/{folder}/{value}" if folder else f"/{value}")
                elif len(key) == 1:
                    fields.setdefault(key, value)
            if fields.get("P"):
                size, count = _measure(tree, files)
                if not files:
                    size = _number(fields.get("I", "")) or size
                yield Package("apk", fields["P"], fields.get("V", ""), size, _layer(tree, path), count)


def _pip(alive: dict[str, bytes], tree: Tree) -> Iterator[Package]:
    for path, content in alive.items():
        match = _RECORD.fullmatch(path)
        if match is None:
            continue
        files = []
        for line in _text(content).split("\n"):
            name = line.strip().rpartition(",")[0].rpartition(",")[0]
            if name.startswith('"'):
                name = name.strip('"').replace('""', '"')
            if name:
                files.append(name if name.startswith("/") else _joined(match[1], name))
        size, count = _measure(tree, files)
        yield Package("pip", match[2].replace("_", "-"), match[3], size, _layer(tree, path), count)


def _joined(base: str, name: str) -> str:
    parts = base.split("/")
    for part in name.split("/"):
        if part == "..":
            if len(parts) > 1:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "/"


def _npm(databases: Databases, tree: Tree) -> Iterator[Package]:
    for entry, directory, name, version in databases.npm:
        if not _alive(tree, entry):
            continue
        node = tree.find(directory)
        size, count = _own_bytes(node) if node is not None else (0, 0)
        yield Package("npm", name, version, size, _layer(tree, entry.path), count)


def _own_bytes(node: PathNode) -> tuple[int, int]:
    """Bytes and files of a directory without the node_modules below it, which have packages of their own."""
    size = count = 0
    counted: set[int] = set()
    stack = [node]
    while stack:
        for name, child in (stack.pop().children or {}).items():
            if child.children is not None:
                if name != "node_modules":
                    stack.append(child)
            elif child.inode is not None and id(child.inode) not in counted:
                counted.add(id(child.inode))
                size, count = size + child.inode.entry.size, count + 1
    return size, count
