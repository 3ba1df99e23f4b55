"""The files that an image has beyond the one that is to run it, by where they come from."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from dfopt.image.artifacts import APK_INSTALLED, DPKG_STATUS
from dfopt.image.layers import SYMLINK
from dfopt.knowledge import table
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.image.artifacts import ImageFiles
    from dfopt.image.merged_tree import PathNode

_DATABASES = (DPKG_STATUS, *APK_INSTALLED)
_OUTPUT = re.compile(r"/dev/(?:std(?:out|err)|fd/\d)|/proc/(?:self|1)/fd/\d")


class Beyond(Record):
    """What an image has that the one to run it lacks, or has otherwise. Paths of files and links -> nodes.

    own         what the steps of the file wrote, outside of packages
    toolchain   what the base image brings, outside of packages
    packaged    what packages own -> the package
    empty       directories that steps made, in which nothing is
    """

    own: dict[str, PathNode]
    toolchain: dict[str, PathNode]
    packaged: dict[str, str]
    empty: dict[str, PathNode]


def beyond(image: ImageFiles, run: ImageFiles, base_layers: int, named: Callable[[str], bool]) -> Beyond:
    """`base_layers`: how many of the image's layers are the base image's; `named`: whether the Dockerfile names a
    path."""
    found = Beyond({}, {}, {}, {})
    installing = [
        any(entry.path in _DATABASES for entry in layer.entries) for layer in image.layers
    ]  # layers in which packages were installed
    for path, node in image.tree.walk():
        if node.children is not None:
            if not node.children and node.layer >= base_layers and run.tree.find(path) is None and not is_state(path):
                found.empty[path] = node
            continue
        other = run.tree.find(path)
        owner = image.owner(path)
        own = node.layer >= base_layers
        if owner is not None:
            if own and (not installing[node.layer] or (path.startswith("/etc/") and named(path))):  # a step changed it
                found.own[path] = node
            elif other is None:
                found.packaged[path] = owner
            continue
        if other is not None and alike(node, other):
            continue
        if _is_compiled(image, path):
            continue
        if is_output(node) and not path.startswith("/dev/"):
            (found.own if own else found.toolchain)[path] = node
            continue
        if is_state(path) and not (own and not installing[node.layer] and _matches("steps", path)):
            continue
        if own and in_system(path) and installing[node.layer] and not named(path) and not _kept(path):
            continue  # a maintainer's script wrote it: it comes again with the package
        if node.entry.kind == SYMLINK and node.entry.link.startswith("/etc/alternatives/"):
            continue
        (found.own if own else found.toolchain)[path] = node
    return found


def _is_compiled(image: ImageFiles, path: str) -> bool:
    """Whether a file is what Python keeps of a module of a package."""
    directory, _, name = path.rpartition("/")
    if not directory.endswith("/__pycache__"):
        return False
    return image.owner(f"{posixpath.dirname(directory)}/{name.partition('.')[0]}.py") is not None


def is_output(node: PathNode) -> bool:
    """Whether a path is a link to the output of a container, as those of logs are."""
    return node.entry.kind == SYMLINK and _OUTPUT.match(node.entry.link) is not None


def alike(node: PathNode, other: PathNode) -> bool:
    """Whether two files are alike, as far as their metadata tells."""
    one, two = node.entry, other.entry
    return (one.kind, one.size, one.link) == (two.kind, two.size, two.link)


def top_of(image: ImageFiles, run: ImageFiles, path: str, base_layers: int) -> str:
    """The highest directory at or above `path` that steps made and that the image to run it lacks; the path itself
    where there is none."""
    top = path
    parent = posixpath.dirname(path)
    while parent != "/":
        node = image.tree.find(parent)
        if run.tree.find(parent) is None and node is not None and _made_by_steps(node, base_layers):
            top = parent
        parent = posixpath.dirname(parent)
    return top


def _made_by_steps(node: PathNode, base_layers: int) -> bool:
    """Whether nothing of a directory is the base image's."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if at.children is None:
            if at.layer < base_layers:
                return False
        else:
            waiting += at.children.values()
    return True


def above(path: str) -> Iterator[str]:
    """The directories above a path, the nearest first, without the root."""
    while (path := posixpath.dirname(path)) not in ("/", ""):
        yield path


def nodes_below(node: PathNode, path: str = "") -> Iterator[tuple[str, PathNode]]:
    """All that is below a directory, itself left out, with its path."""
    waiting = [(path, node)]
    while waiting:
        place, at = waiting.pop()
        for name, child in (at.children or {}).items():
            waiting.append((f"{place.rstrip('/')}/{name}", child))
            yield waiting[-1]


def files_below(node: PathNode, path: str) -> Iterator[tuple[str, PathNode]]:
    """The files and links at or below a path."""
    if node.children is None:
        yield path, node
    else:
        yield from ((place, at) for place, at in nodes_below(node, path) if at.children is None)


_compiled: dict[str, re.Pattern[str]] = {}


def _matches(key: str, path: str) -> bool:
    if key not in _compiled:
        _compiled[key] = re.compile("|".join(fnmatch.translate(pattern) for pattern in table("observed")[key]))
    return _compiled[key].match(path) is not None


def is_state(path: str) -> bool:
    return _matches("state", path) and not _kept(path)


def _kept(path: str) -> bool:
    return _matches("kept", path)


def in_system(path: str) -> bool:
    facts = table("observed")
    return _below(path, facts["system"]) and not _below(path, facts["not-system"])


def _below(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def in_build_place(path: str) -> bool:
    return _below(path, table("observed")["build-places"])


def is_home_cache(path: str) -> bool:
    """Whether a build keeps what it may need again there: caches of package managers in a home directory."""
    match = re.match(r"/(?:root|home/[^/]+)/(.+)", path)
    return match is not None and _below(match[1], table("observed")["home-caches"])


def is_development(path: str) -> bool:
    return _is_one_of("development", path)


def is_unread(path: str) -> bool:
    """Whether a file of a package is for another program than its own."""
    return _is_one_of("unread", path)


def _is_one_of(key: str, path: str) -> bool:
    if key not in _compiled:
        _compiled[key] = re.compile("|".join(table("observed")[key]))
    return _compiled[key].fullmatch(path) is not None


def is_never_read(path: str) -> bool:
    return any(fnmatch.fnmatchcase(part, name) for part in path.split("/") for name in table("observed")["never"])


def is_build_input(path: str) -> bool:
    """Whether a compiled program does not read such a file."""
    facts = table("observed")
    *directories, name = path.split("/")
    return any(part in facts["intermediates"] for part in directories) or any(
        fnmatch.fnmatchcase(name, pattern) for pattern in facts["sources"]
    )


def is_source_tree(node: PathNode) -> bool:
    marks = table("observed")["marks"]
    return any(fnmatch.fnmatchcase(name, mark) for name in node.children or () for mark in marks)
