"""A treemap of an image's bytes as rectangles: directories by size, each with its live and its dead share.

Squarified layout: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000).
"""

from __future__ import annotations

from dfopt.image.errors import printable
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.ledger import Ledger

_DEPTH = 4
_HEADER = 15.0  # units for a directory's name
_SMALLEST = 14.0  # a rectangle narrower or lower than this is not divided
_REST = "(small ones)"


class Folder:
    """Bytes of a directory and all below it. Files are folders without children."""

    __slots__ = ("children", "dead", "live", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.live = 0
        self.dead = 0
        self.children: dict[str, Folder] = {}

    @property
    def size(self) -> int:
        return self.live + self.dead


class Cell(Record):
    """A rectangle: a directory that holds others (`frame`), or bytes, of which the share `dead` is dead. path: from
    the root; label: what fits, "" for nothing."""

    x: float
    y: float
    width: float
    height: float
    frame: bool
    path: str
    label: str
    live: int
    dead: int
    depth: int


def folders(ledger: Ledger) -> Folder:
    """The bytes by directory, down to the depth that is drawn."""
    root = Folder("/")
    counted: set[int] = set()
    for path, node in ledger.files():
        inode = node.inode
        if inode is None or not inode.entry.size or (inode.links > 1 and id(inode) in counted):
            continue
        counted.add(id(inode))
        _add(root, path, inode.entry.size, 0)
    for dead in ledger.dead:
        _add(root, dead.path, 0, dead.size)
    return root


def _add(root: Folder, path: str, live: int, dead: int) -> None:
    folder = root
    folder.live += live
    folder.dead += dead
    for name in path.split("/")[1 : _DEPTH + 1]:
        child = folder.children.get(name)
        if child is None:
            child = folder.children[name] = Folder(name)
        folder = child
        folder.live += live
        folder.dead += dead


def layout(root: Folder, width: float, height: float) -> list[Cell]:
    """The cells of a treemap of that many units, frames before what they hold."""
    return list(_cells(root, "", 0.0, 0.0, width, height, 0)) if root.size else []


def _cells(folder: Folder, path: str, x: float, y: float, width: float, height: float, depth: int) -> Iterator[Cell]:
    where = path or "/"
    inside_top = _HEADER if depth else 0.0
    divided = (
        folder.children and depth < _DEPTH and width > 2 * _SMALLEST and height > inside_top + _SMALLEST
    )  # fmt: skip
    label = printable(where)
    name = label if depth <= 1 else printable(folder.name)
    if not divided:
        yield Cell(x, y, width, height, False, label, _fit(name, width, height), folder.live, folder.dead, depth)
        return
    if depth:
        yield Cell(x, y, width, height, True, label, _fit(name, width, _HEADER), folder.live, folder.dead, depth)
    gap = 1.5 if depth else 0.0
    area = (width - 2 * gap) * (height - inside_top - gap)
    children = _worth(folder, area)
    for child, (left, top, wide, high) in zip(
        children,
        squarified(
            [child.size for child in children], x + gap, y + inside_top, width - 2 * gap, height - inside_top - gap
        ),
        strict=True,
    ):
        yield from _cells(child, f"{path}/{child.name}", left, top, wide, high, depth + 1)


def _worth(folder: Folder, area: float) -> list[Folder]:
    """The children that are large enough to be seen, the greatest first; the others as one."""
    ordered = sorted(
        (child for child in folder.children.values() if child.size), key=lambda child: (-child.size, child.name)
    )
    total = sum(child.size for child in ordered)
    least = 40.0 * total / max(area, 1.0)  # 40 square units
    cells = [child for child in ordered if child.size >= least]
    small = [child for child in ordered if child.size < least]
    if len(small) == 1 and not cells:
        return small
    if small:
        remainder = Folder(_REST)
        remainder.live, remainder.dead = sum(child.live for child in small), sum(child.dead for child in small)
        cells.append(remainder)
    return cells


def squarified(
    sizes: list[int], x: float, y: float, width: float, height: float
) -> list[tuple[float, float, float, float]]:
    """Rectangles (x, y, width, height) whose areas are as `sizes`, which must be positive, the greatest first."""
    total = sum(sizes)
    if not total:
        return []
    scale = width * height / total
    areas = [size * scale for size in sizes]
    rectangles: list[tuple[float, float, float, float]] = []
    start = 0
    while start < len(areas):
        side = min(width, height)
        stop = start + 1
        while stop < len(areas) and _worst(areas[start : stop + 1], side) <= _worst(areas[start:stop], side):
            stop += 1
        row = areas[start:stop]
        depth = sum(row) / side if side > 0 else 0.0
        at = 0.0
        for area in row:
            length = area / depth if depth > 0 else 0.0
            if width >= height:
                rectangles.append((x, y + at, depth, length))
            else:
                rectangles.append((x + at, y, length, depth))
            at += length
        if width >= height:
            x, width = x + depth, max(0.0, width - depth)
        else:
            y, height = y + depth, max(0.0, height - depth)
        start = stop
    return rectangles


def _worst(row: list[float], side: float) -> float:
    """The worst ratio of sides in a row along a side."""
    total = sum(row)
    if total <= 0 or side <= 0:
        return float("inf")
    return max(side * side * max(row) / total**2, total**2 / (side * side * max(min(row), 1e-12)))


def _fit(text: str, width: float, height: float) -> str:
    """As much of a text as a rectangle has room for, at 11 units a line and about 6.2 a letter."""
    room = int((width - 6) / 6.2)
    if height < 13 or room < 3:
        return ""
    return text if len(text) <= room else text[: room - 1] + "…"
