"""The ledger of an image: layer bytes = live bytes + dead bytes, with a reason for every dead one.

A byte is what a regular file stores in a layer (headers and directories count nothing, a hardlink counts nothing: its
bytes are those of the file that it names). It lives while some path of the merged file system leads to it. The three
sums are made independently (layers' entries, the merged tree, the deaths) and compared on every run.
"""

from __future__ import annotations

from dfopt.image.layers import FILE, OPAQUE, WHITEOUT, LayerEntry
from dfopt.image.merged_tree import DELETED, METADATA_ONLY, OVERWRITTEN, SHADOWED, Inode, PathNode, Tree
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.image.layers import LayerFiles


class Dead(Record):
    """Bytes that are stored and that nobody can see. path: where `producer` stored them; killed_by: the path of the
    entry of `killer` that did it (the same path, a parent, or another name of the file). Layers count from 0.

    kind: `deleted` (a whiteout), `overwritten` (another content, or another type, took its place), `metadata only`
    (stored again with the same content: a chmod, chown or touch), `shadowed` (an opaque directory).
    """

    path: str
    size: int
    producer: int
    killer: int
    kind: str
    killed_by: str
    sha256: bytes


class Tally(Record):
    """One layer's account: bytes = live + dead; `killed` are bytes, of any layer, that died through this one."""

    index: int
    files: int
    entries: int
    whiteouts: int
    bytes: int
    live: int
    dead: int
    killed: int


class Duplicate(Record):
    """One content that is alive more than once: `paths` in order, each with its own copy of `size` bytes."""

    sha256: bytes
    size: int
    paths: tuple[str, ...]

    def wasted(self) -> int:
        return self.size * (len(self.paths) - 1)


class Ledger(Record):
    """All bytes of an image. `dead` in the order of dying; `tree` is the merged file system; `notes` are for users."""

    layers: tuple[Tally, ...]
    dead: tuple[Dead, ...]
    total_bytes: int
    live_bytes: int
    dead_bytes: int
    tree: Tree
    notes: tuple[str, ...]

    def efficiency(self) -> float:
        """Live bytes to layer bytes, 1.0 for an image without bytes. (dive's figure of that name differs: dive.py.)"""
        return self.live_bytes / self.total_bytes if self.total_bytes else 1.0

    def files(self) -> Iterator[tuple[str, PathNode]]:
        """Every path of the merged file system with its node, which knows the metadata and the layer."""
        return self.tree.walk()

    def duplicates(self) -> list[Duplicate]:
        """Equal contents that are stored more than once and alive, the greatest waste first. Needs content hashes."""
        groups: dict[tuple[int, bytes], dict[int, str]] = {}
        for path, node in self.tree.walk():
            inode = node.inode
            if inode is not None and inode.entry.size and inode.entry.sha256:
                group = groups.setdefault((inode.entry.size, inode.entry.sha256), {})
                group.setdefault(id(inode), path)
        duplicates = [
            Duplicate(sha256, size, tuple(names.values())) for (size, sha256), names in groups.items() if len(names) > 1
        ]
        return sorted(duplicates, key=lambda duplicate: (-duplicate.wasted(), duplicate.paths))


class LedgerError(Exception):
    """The account does not balance: a fault of this program, never of the image."""


def make_ledger(layers: Sequence[LayerFiles]) -> Ledger:
    """The ledger of layers as `read_image` gives them, lowest first. ImageError when they do not fit together."""
    dead: list[Dead] = []
    current = -1

    def on_death(inode: Inode, kind: str, killed_by: str) -> None:
        entry = inode.entry
        if entry.size:
            dead.append(Dead(entry.path, entry.size, inode.layer, current, kind, killed_by, entry.sha256))

    tree = Tree(on_death)
    for current, layer in enumerate(layers):
        first = len(dead)
        tree.apply(layer.entries, layer.layer.where())
        for number in range(first, len(dead)):
            dead[number] = _settled(dead[number], tree, current)
    live = _live_by_layer(tree, len(layers))
    died, killed = [0] * len(layers), [0] * len(layers)
    for dead_file in dead:
        died[dead_file.producer] += dead_file.size
        killed[dead_file.killer] += dead_file.size
    tallies = tuple(
        _tally(index, layer.entries, live[index], died[index], killed[index]) for index, layer in enumerate(layers)
    )
    total = sum(tally.bytes for tally in tallies)
    return Ledger(tallies, tuple(dead), total, sum(live), sum(died), tree, tuple(tree.notes))


def _settled(death: Dead, tree: Tree, layer: int) -> Dead:
    """A file that a layer whites out and brings again was overwritten, whichever entry stood first in the tar."""
    if death.kind not in (DELETED, SHADOWED) or death.producer == layer:
        return death
    node = tree.find(death.path)
    if node is None or node.layer != layer:
        return death
    same = node.inode is not None and node.inode.layer == layer and node.inode.entry.sha256 == death.sha256 != b""
    return replace(death, kind=METADATA_ONLY if same else OVERWRITTEN, killed_by=death.path)  # type: ignore[no-any-return]


def _live_by_layer(tree: Tree, count: int) -> list[int]:
    live = [0] * count
    counted: set[int] = set()
    for _, node in tree.walk():
        inode = node.inode
        if inode is None:
            continue
        if inode.links > 1:
            if id(inode) in counted:
                continue
            counted.add(id(inode))
        live[inode.layer] += inode.entry.size
    return live


def _tally(index: int, entries: Sequence[LayerEntry], live: int, dead: int, killed: int) -> Tally:
    sizes = [entry.size for entry in entries if entry.kind == FILE]
    total = sum(sizes)
    if total != live + dead:
        raise LedgerError(f"layer {index}: {total} bytes, but {live} live and {dead} dead")
    whiteouts = sum(entry.kind in (WHITEOUT, OPAQUE) for entry in entries)
    return Tally(index, len(sizes), len(entries), whiteouts, total, live, dead, killed)
