"""The directories of a build context, which is given as the paths of its files.

A context may hold tens of thousands of files, and many Dockerfiles may share it: what is made of a listing is made once
for it, however often, and for however many files, it is asked for.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LISTINGS = 4  # that are remembered; each with what is made of it


def directories_above(paths: Iterable[str]) -> set[str]:
    """Every directory that holds one of the paths, or a directory that does; not the topmost one."""
    found: set[str] = set()
    for path in paths:
        directory = path.rpartition("/")[0]
        while directory and directory not in found:
            found.add(directory)
            directory = directory.rpartition("/")[0]
    return found


@lru_cache(_LISTINGS)
def directories(paths: frozenset[str]) -> frozenset[str]:
    """The directories of a context, by its files."""
    return frozenset(directories_above(paths))


@lru_cache(_LISTINGS)
def below(paths: frozenset[str], prefix: str) -> frozenset[str]:
    """The files whose path begins with `prefix` ("" or "app/"), without it."""
    if not prefix:
        return paths
    size = len(prefix)
    return frozenset([path[size:] for path in paths if path.startswith(prefix)])
