"""The merged file system of a stack of layers, as a tree: what a container sees, and which bytes each change kills.

Rules: OCI image specification, layer.md (whiteouts act on lower layers only, wherever they stand in their layer), and
what engines do where it is silent: an entry replaces whatever is at its path unless both are directories, and a link
in the place of a parent directory is followed inside the image. Every node is visited a bounded number of times in
each layer, so many whiteouts cost no more than many files.
"""

from __future__ import annotations

from dfopt.image.errors import ImageError, printable
from dfopt.image.layers import AUFS, DIRECTORY, FILE, HARDLINK, OPAQUE, SYMLINK, WHITEOUT, LayerEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DELETED, OVERWRITTEN, METADATA_ONLY, SHADOWED = "deleted", "overwritten", "metadata only", "shadowed"
_MAX_LINKS = 255
_IMPLICIT = LayerEntry("", DIRECTORY, 0o755, 0, 0, 0, "", 0, None, b"", (0, 0))


class Inode:
    """The bytes of one file: stored once, by `layer` at `entry.path`, under `links` names in the merged tree."""

    __slots__ = ("entry", "layer", "links")

    def __init__(self, entry: LayerEntry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.links = 0


class PathNode:
    """One path. entry: its metadata (of a hardlink, its target's); layer: the last layer with an entry for this path,
    or that made it as a parent; inode: only for regular files; children: None unless a directory."""

    __slots__ = ("children", "entry", "inode", "layer", "swept", "touched")

    def __init__(self, entry: LayerEntry, layer: int, inode: Inode | None) -> None:
        self.entry = entry
        self.layer = layer
        self.inode = inode
        self.children: dict[str, PathNode] | None = {} if entry.kind == DIRECTORY else None
        self.touched = layer  # the last layer with an entry here or below
        self.swept = -1  # the last layer that emptied this directory of everything older


class Tree:
    """Apply layers from the lowest up; `on_death(inode, kind, killer path)` is called as the last name of a file goes.

    `notes` collects what engines may read differently, for the user.
    """

    def __init__(self, on_death: Callable[[Inode, str, str], object] | None = None) -> None:
        self.root = PathNode(_IMPLICIT, -1, None)
        self.on_death = on_death
        self.layer = -1
        self.where = ""
        self.notes: list[str] = []
        self._near: tuple[str, list[PathNode]] = ("", [self.root])

    def apply(self, entries: Iterable[LayerEntry], where: str) -> None:
        """One layer on top. ImageError for a hardlink to nowhere, links in a circle and entries below a link that
        the same layer brings."""
        self.layer += 1
        self.where = where
        self._near = ("", [self.root])
        for entry in entries:
            if entry.kind == WHITEOUT:
                self._whiteout(entry)
            elif entry.kind == OPAQUE:
                chain = self._resolve(entry.path)
                if chain is not None and chain[-1].children is not None:
                    self._sweep(chain, entry.path)
            elif entry.kind != AUFS:
                self._add(entry)

    def find(self, path: str) -> PathNode | None:
        """The node at an absolute path; links are followed in parents, not in the last place."""
        chain = self._find(path)
        return chain[-1] if chain is not None else None

    def walk(self) -> Iterator[tuple[str, PathNode]]:
        """Every (absolute path, node), parents before children, names in order; the root first."""
        stack = [("/", self.root)]
        while stack:
            path, node = stack.pop()
            yield path, node
            if node.children:
                base = path if path != "/" else ""
                stack += [(f"{base}/{name}", node.children[name]) for name in sorted(node.children, reverse=True)]

    # -- one entry

    def _add(self, entry: LayerEntry) -> None:
        if entry.path == "/":
            self.root.entry = entry
            self.root.layer = self.root.touched = self.layer
            return
        parent, _, name = entry.path.rpartition("/")
        chain = self._parents(parent, entry)
        children = chain[-1].children
        assert children is not None
        inode: Inode | None = None
        metadata = entry
        if entry.kind == HARDLINK:
            inode, metadata = self._target(entry)
        old = children.get(name)
        if old is not None and old.children is not None and entry.kind == DIRECTORY:
            old.entry = entry
            old.layer = self.layer
        else:
            if entry.kind == FILE:
                inode = Inode(entry, self.layer)
            if inode is not None:
                inode.links += 1  # before the old one goes: it may be another name of the same file
            if old is not None:
                self._kill(old, OVERWRITTEN, entry)
            children[name] = PathNode(metadata, self.layer, inode)
        children[name].touched = self.layer
        if chain[-1].touched != self.layer:  # else all above it are touched too
            for node in chain:
                node.touched = self.layer

    def _target(self, entry: LayerEntry) -> tuple[Inode | None, LayerEntry]:
        chain = self._find(entry.link) if entry.link != entry.path else None
        if chain is None:
            raise ImageError(f"{self.where}: {entry.path}: hardlink to nowhere: {entry.link}")
        if chain[-1].children is not None:
            raise ImageError(f"{self.where}: {entry.path}: hardlink to a directory: {entry.link}")
        return chain[-1].inode, chain[-1].entry

    def _kill(self, node: PathNode, kind: str, killer: LayerEntry) -> None:
        """Drops a node and all below it; their files die unless they have other names."""
        if node.inode is not None and kind == OVERWRITTEN and killer.kind == FILE:
            old = node.inode.entry
            if killer.size == old.size and killer.sha256 == old.sha256 != b"":
                kind = METADATA_ONLY
        stack = [node]
        while stack:
            node = stack.pop()
            if node.children is not None:
                self._near = ("", [self.root])
                stack += node.children.values()
            elif node.inode is not None:
                node.inode.links -= 1
                if not node.inode.links and self.on_death is not None:
                    self.on_death(node.inode, kind, killer.path)

    # -- whiteouts

    def _whiteout(self, entry: LayerEntry) -> None:
        chain = self._find(entry.path)
        if chain is None or len(chain) < 2:
            return
        node, parent = chain[-1], chain[-2]
        if node.touched != self.layer:
            assert parent.children is not None
            del parent.children[entry.path.rpartition("/")[2]]
            self._kill(node, DELETED, entry)
        elif node.children is not None:
            self._sweep(chain, entry.path, DELETED)
            if node.layer != self.layer:  # only entries below it were brought: the directory itself is a new one
                node.entry, node.layer = _IMPLICIT, self.layer

    def _sweep(self, chain: list[PathNode], path: str, kind: str = SHADOWED) -> None:
        """Removes what older layers left below a directory. Done once for each directory and layer: what this layer
        adds later is its own."""
        if any(node.swept == self.layer for node in chain):
            return
        killer = LayerEntry(path, OPAQUE, 0, 0, 0, 0, "", 0, None, b"", (0, 0))
        stack = [chain[-1]]
        while stack:
            node = stack.pop()
            node.swept = self.layer
            assert node.children is not None
            for name, child in list(node.children.items()):
                if child.touched != self.layer:
                    del node.children[name]
                    self._kill(child, kind, killer)
                elif child.children is not None and child.swept != self.layer:
                    if child.layer != self.layer:  # this layer brought only entries below it: a new directory
                        child.entry, child.layer = _IMPLICIT, self.layer
                    stack.append(child)

    # -- paths

    def _find(self, path: str) -> list[PathNode] | None:
        """The nodes from the root to an existing path, links in parents followed; None when it does not exist."""
        if path == "/":
            return [self.root]
        parent, _, name = path.rpartition("/")
        chain = self._resolve(parent)
        if chain is None:
            return None
        children = chain[-1].children
        node = children.get(name) if children is not None else None
        return None if node is None else [*chain, node]

    def _resolve(self, parent: str) -> list[PathNode] | None:
        if parent == self._near[0]:
            return self._near[1]
        chain = [self.root]
        parts = parent.split("/")[:0:-1]
        hops = 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del chain[max(1, len(chain) - 1) :]
                continue
            children = chain[-1].children
            node = children.get(part) if children is not None else None
            if node is None:
                return None
            if node.entry.kind == SYMLINK:
                hops = self._hop(hops, parent)
                parts += node.entry.link.split("/")[::-1]
                if node.entry.link.startswith("/"):
                    chain = [self.root]
                continue
            chain.append(node)
        if not hops and chain[-1].children is not None:
            self._near = (parent, chain)
        return chain

    def _parents(self, parent: str, entry: LayerEntry) -> list[PathNode]:
        """As `_resolve`, but makes what is missing; a link of this very layer in a parent's place is a trick."""
        if parent == self._near[0]:
            return self._near[1]
        chain, names = [self.root], [""]
        parts = parent.split("/")[:0:-1]
        hops = 0
        while parts:
            part = parts.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if len(chain) == 1:
                    raise ImageError(f"{self.where}: {entry.path}: lies below a link that leads out of the image")
                del chain[-1], names[-1]
                continue
            children = chain[-1].children
            assert children is not None
            node = children.get(part)
            if node is not None and node.entry.kind == SYMLINK:
                if node.layer == self.layer:
                    raise ImageError(
                        f"{self.where}: {entry.path}: lies below {'/'.join([*names, part])}, which this layer makes a "
                        f"link to {node.entry.link!r}"
                    )
                hops = self._hop(hops, entry.path)
                parts += node.entry.link.split("/")[::-1]
                if node.entry.link.startswith("/"):
                    chain, names = [self.root], [""]
                continue
            if node is None or node.children is None:
                implied = PathNode(_IMPLICIT, self.layer, None)
                implied.touched = -1  # `_add` has yet to mark it, and with it all above it
                children[part] = implied
                if node is not None:
                    self._kill(node, OVERWRITTEN, entry)
                node = implied
            chain.append(node)
            names.append(part)
        if hops:
            text = (
                f"{self.where}: entries below {parent}, which leads through a link of a lower layer, are counted at "
                f"{'/'.join(names)} (Docker's overlay driver hides the link instead)"
            )
            if text not in self.notes[-1:]:  # one note for a run of entries
                self.notes.append(printable(text))
        else:
            self._near = (parent, chain)
        return chain

    def _hop(self, hops: int, path: str) -> int:
        if hops >= _MAX_LINKS:
            raise ImageError(f"{self.where}: {path}: links in a circle")
        return hops + 1
