"""dive's three numbers by dive's own rules, for gates that were written for dive. The honest account is ledger.py.

Source of the rules: dive 0.13.1, `dive/filetree/efficiency.go`, `file_tree.go` and `dive/image/analysis.go`. What
they amount to: each layer is a tree of its own and only its leaves count; efficiency is the sum of the smallest size
of each path over the sum of all sizes; wasted bytes are all copies of a path that was seen twice, the living one too.
A deleted directory counts its former content once, so it is never wasted; an opaque directory counts nothing; a
whiteout of what is not there ends the reading of its layer. These are dive's figures, faults included.
"""

from __future__ import annotations

from dfopt.image.layers import DIRECTORY, OPAQUE, WHITEOUT, LayerEntry
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.image.layers import LayerFiles


class DiveFile(Record):
    """A path that dive calls inefficient: seen in `count` layers with `size` bytes in all."""

    path: str
    count: int
    size: int


class DiveFigures(Record):
    """efficiency: 0 to 1. wasted_bytes and user_bytes (all layers but the first): bytes. user_wasted: their ratio, as
    floating point has it: infinite, or not a number, when there are no user bytes. files: the greatest first."""

    efficiency: float
    wasted_bytes: int
    user_bytes: int
    user_wasted: float
    total_bytes: int
    files: tuple[DiveFile, ...]


class _Node:
    __slots__ = ("children", "directory", "size")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.size = 0
        self.directory = False

    def take(self, other: _Node) -> None:
        self.size, self.directory = other.size, other.directory


class _Missing(Exception):
    """A whiteout of a path that the layers below do not have: dive leaves the layer there."""


def dive_figures(layers: Sequence[LayerFiles]) -> DiveFigures:
    """The figures for layers as `read_image` gives them, lowest first."""
    sizes: dict[str, list[int]] = {}
    stacked = _Node()
    totals = []
    for number, layer in enumerate(layers):
        tree, total = _layer_tree(layer.entries)
        totals.append(total)
        if number == 0:
            _copy(tree, stacked)
        try:
            for parent, name, node in _leaves(tree):
                # The path is known to dive before its size is: one that it stumbles over is kept without a size.
                copies = sizes.setdefault(f"{parent}/{name.removeprefix('.wh.')}", [])
                copies.append(_removed(stacked, parent, name[4:]) if name.startswith(".wh.") else node.size)
        except _Missing:
            pass
        _stack(stacked, tree)
    smallest = sum(min(copies) if copies else -1 for copies in sizes.values())
    everything = sum(map(sum, sizes.values()))
    files = [DiveFile(path, len(copies), sum(copies)) for path, copies in sizes.items() if len(copies) > 1]
    wasted, user = sum(file.size for file in files), sum(totals[1:])
    return DiveFigures(
        smallest / everything if everything else 1.0,
        wasted,
        user,
        wasted / user if user else (float("inf") if wasted else float("nan")),
        sum(totals),
        tuple(sorted(files, key=lambda file: (-file.size, file.path))),
    )


def _layer_tree(entries: Sequence[LayerEntry]) -> tuple[_Node, int]:
    """The tree of one layer, whiteouts under their names in the tar, and the sum of the sizes that headers state."""
    root = _Node()
    total = 0
    for entry in entries:
        if entry.path == "/" and entry.kind == DIRECTORY:
            continue
        total += entry.size
        node = root
        for part in _stored_path(entry).split("/")[1:]:
            if part.startswith(".wh..wh."):
                break
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = _Node()
            node = child
        else:
            node.size = entry.size
            node.directory = entry.kind == DIRECTORY
    return root, total


def _stored_path(entry: LayerEntry) -> str:
    if entry.kind == OPAQUE:
        return f"{entry.path.rstrip('/')}/.wh..wh..opq"
    if entry.kind == WHITEOUT:
        parent, _, name = entry.path.rpartition("/")
        return f"{parent}/.wh.{name}"
    return entry.path


def _leaves(root: _Node) -> Iterator[tuple[str, str, _Node]]:
    """(path of the parent, name, node) of every node without children but the root, in the order of the names."""
    stack = [("", "", root)]
    while stack:
        parent, name, node = stack.pop()
        if node.children:
            path = f"{parent}/{name}" if name else ""
            stack += [(path, child, node.children[child]) for child in sorted(node.children, reverse=True)]
        elif name:
            yield parent, name, node


def _removed(stacked: _Node, parent: str, name: str) -> int:
    """The bytes that dive counts for a whiteout: the former content of a directory, nothing for a file."""
    node: _Node | None = stacked
    for part in [*parent.split("/")[1:], name]:
        node = node.children.get(part) if node is not None else None
    if node is None:
        raise _Missing
    if not node.directory:
        return 0
    total, todo = 0, [node]
    while todo:
        node = todo.pop()
        total += node.size
        todo += node.children.values()
    return total


def _copy(source: _Node, target: _Node) -> None:
    todo = [(source, target)]
    while todo:
        source, target = todo.pop()
        target.take(source)
        for name, child in source.children.items():
            twin = target.children[name] = _Node()
            todo.append((child, twin))


def _stack(stacked: _Node, tree: _Node) -> None:
    """dive stacks path by path, children before parents; a whiteout touches its siblings only, so that each directory
    can be done by itself."""
    todo = [(stacked, tree)]
    while todo:
        below, above = todo.pop()
        for name in sorted(above.children):
            child = above.children[name]
            if name.startswith(".wh."):
                below.children.pop(name[4:], None)
                continue
            twin = below.children.get(name)
            if twin is None:
                twin = below.children[name] = _Node()
            twin.take(child)
            if child.children:
                todo.append((twin, child))
