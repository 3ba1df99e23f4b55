"""The files of a checkout that git tracks, by its index: no directory is looked through for them.

Format: git's Documentation/gitformat-index.txt, versions 2 to 4.
"""

from __future__ import annotations

import os

from dfopt.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LARGEST = 128 << 20  # bytes of an index: a million files
_FIXED = 62  # bytes of an entry before its name: times, numbers, mode, owner, size, object name, flags
_EXTENDED, _LENGTH = 0x4000, 0x0FFF  # of the flags
_CHECKSUM = 20  # bytes at the end


def tracked_files(top: str, wanted: Callable[[str], bool]) -> list[str] | None:
    """The `wanted` files ("/"-separated, below `top`) that git tracks in the checkout whose root `top` is. None where
    it is not one, where its index is not understood, and where only a part of the files is listed there."""
    place = os.path.join(top, ".git")
    if os.path.islink(place) or not os.path.isdir(place):
        return None
    try:
        data = read_regular(os.path.join(place, "index"), _LARGEST)
        paths, end = _paths(data, wanted)
    except (OSError, ValueError, IndexError):
        return None
    if not {b"link", b"sdir"}.isdisjoint(_extensions(data, end)):
        return None  # the rest is in another index, or in trees
    return list(dict.fromkeys(paths))


def in_order_of_walk(paths: list[str]) -> list[str]:
    """Paths as a walk through sorted directories comes by them: the files of a directory, then those below it."""
    return sorted(paths, key=lambda path: [(1, part) for part in path.split("/")[:-1]] + [(0, path.rpartition("/")[2])])


def _paths(data: bytes, wanted: Callable[[str], bool]) -> tuple[list[str], int]:
    """The wanted names of an index, and where its names end. Raises ValueError and IndexError."""
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")
    if data[:4] != b"DIRC" or version not in (2, 3, 4) or count * (_FIXED + 1) > len(data):
        raise ValueError("no index")
    paths: list[str] = []
    at, name = 12, b""
    for _ in range(count):
        flags = data[at + 60] << 8 | data[at + 61]
        start = at + _FIXED + (2 if flags & _EXTENDED else 0)
        if version == 4:
            cut, start = _offset(data, start)
            stop = data.index(b"\0", start)
            if cut > len(name):
                raise ValueError("no index")
            name = name[: len(name) - cut] + data[start:stop]
            at = stop + 1
        else:
            length = flags & _LENGTH
            stop = start + length if length < _LENGTH else data.index(b"\0", start)
            name = data[start:stop]
            at += (stop - at + 8) & ~7
        if not name:
            raise ValueError("no index")
        path = os.fsdecode(name)
        if wanted(path):
            paths.append(path)
    if at > len(data) - _CHECKSUM:
        raise ValueError("no index")
    return paths, at


def _offset(data: bytes, at: int) -> tuple[int, int]:
    """A number in the form of a pack's offset, and where it ends."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = (value + 1) << 7 | data[at] & 127
    return value, at + 1


def _extensions(data: bytes, at: int) -> Iterator[bytes]:
    """The signatures of an index's extensions."""
    while at + 8 <= len(data) - _CHECKSUM:
        yield data[at : at + 4]
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
