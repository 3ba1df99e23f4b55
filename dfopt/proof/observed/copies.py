"""From the files that stay to COPY instructions: by directories that a person would name.

A COPY from another stage keeps the owners and modes of files, and of directories below the one that it names; the one
that it names, and those above it, become root's with mode 755, unless they are there already.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter

from dfopt.analysis.system_paths import SYSTEM
from dfopt.image.layers import SYMLINK
from dfopt.proof.observed.places import above, files_below, nodes_below
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.image.artifacts import ImageFiles
    from dfopt.image.merged_tree import PathNode

_MOST = 6  # COPYs of one place, or sources of one COPY: beyond, a directory is copied as a whole
_SPARE = 4_000_000  # bytes that may be copied in vain for that
_FEW = 20  # COPYs of an empty image: beyond, directories that lie in one are copied as that one
# ... also these, of the directories that many programs share or that a base image has
_JOINED = frozenset(
    ("/etc/nginx", "/etc/nginx/conf.d", "/usr/share/nginx", "/usr/share/nginx/html", "/var/www/html", "/usr/include",
     "/usr/libexec")
)  # fmt: skip
_LINKED = 200_000  # bytes of a file that an empty image has once, and by its other names as links
_SONAME = re.compile(r"/lib/(?:[^/]+/)?lib[^/]+\.so\.[\d.]+\Z")
# Directories of the base image that are copied as a whole only where they are a language's own
_WHOLE = ("/site-packages", "/dist-packages", "/gems", "/node_modules", "/perl5", "/usr/local/bin", "/usr/local/lib")


class Copies(Record):
    """As in facts.RunEvidence; `bytes` of what is copied."""

    files: tuple[str, ...]
    trees: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    directories: tuple[tuple[str, int, str], ...]
    bytes: int


def copies_of(image: ImageFiles, run: ImageFiles, kept: set[str], empty: Iterable[str], workdir: str) -> Copies:
    """The copies of the files and links `kept`. `empty`: directories that are made. Modes and owners are repeated of
    what is copied whole, of the highest directory above, and of `workdir`."""
    bare = not run.layers  # there all that is above a path is new
    singles: list[str] = []
    whole: list[str] = []
    for top in sorted({_top(run, path) for path in kept}):
        if top in kept:
            singles.append(top)
            continue
        found = list(_cover(image, top, kept))
        node = image.tree.find(top)
        if len(found) > _MOST and node is not None and _vain(node, top, kept) <= _SPARE:
            found = [top]
        for path in found:
            (singles if path in kept else whole).append(path)
    groups: dict[str, list[str]] = {}
    links: dict[str, str] = {}
    for path in singles:
        node = image.tree.find(path)
        # on an empty image, the file that a link leads to takes its place
        stays = not bare or image.artifact(path).kind in ("", "directory")
        if node is not None and node.entry.kind == SYMLINK and stays:
            if not _SONAME.search(path):  # ldconfig makes those
                links[path] = node.entry.link
        else:
            groups.setdefault(posixpath.dirname(path), []).append(path)
    beside = Counter(map(posixpath.dirname, whole))
    for directory in sorted({*groups, *beside}):
        paths = groups.get(directory, [])
        node = image.tree.find(directory)
        many = len(paths) + beside[directory] > _MOST and directory.endswith(_WHOLE)
        spare = _SPARE * 5 if len(paths) > _MOST or bare else _SPARE
        if many and node is not None and _vain(node, directory, kept) <= spare:
            whole.append(directory)
            links = {path: link for path, link in links.items() if not path.startswith(f"{directory}/")}
            groups.pop(directory, None)
    alone = {path for paths in groups.values() for path in paths}
    empty = list(dict.fromkeys(empty))
    for path in list(empty):
        node = image.tree.find(path)
        if node is not None and node.entry.kind == SYMLINK:  # /var/run: both it and what it leads to
            empty[empty.index(path)] = image.resolved(path)
            links[path] = node.entry.link
    if bare:
        for directory in _joined(image, whole, alone, kept):
            whole.append(directory)
            links = {path: link for path, link in links.items() if not path.startswith(f"{directory}/")}
        led_to, more = _led_to(image, whole)
        whole += more
        alone |= led_to
    whole = sorted(path for path in whole if not any(path.startswith(f"{other}/") for other in whole))
    files = sorted(path for path in alone if not any(path.startswith(f"{other}/") for other in whole))
    if bare:
        further = dict(_further_names(image, files))
        links.update(further)
        alone = {*files, *further.values()} - further.keys()
        files = sorted(path for path in alone if not any(path.startswith(f"{other}/") for other in whole))
    empty = [path for path in empty if not any(path.startswith(f"{other}/") for other in whole)]
    owners = {path: "" if bare else _owner(image, path) for path in whole}
    attributes: dict[str, tuple[int, str]] = {}
    for path in (*whole, *files, *links, *empty):
        highest = above(path) if bare else (_top(run, path), *(home for home in above(path) if home == workdir))
        for place in {path, *highest}:
            node = image.tree.find(place)
            known = place in SYSTEM and not bare
            if node is not None and node.children is not None and not known and run.tree.find(place) is None:
                attributes[place] = node.entry.mode, f"{node.entry.uid}:{node.entry.gid}"
    directories = [
        (place, mode, owner)
        for place, (mode, owner) in sorted(attributes.items())
        if (mode, owner) != (0o755, owners.get(place) or "0:0") or place in empty
    ]
    size = sum(_size(image.tree.find(image.resolved(path)), path) for path in (*whole, *files))
    return Copies(tuple(files), tuple(owners.items()), tuple(links.items()), tuple(directories), size)


def _further_names(image: ImageFiles, paths: list[str]) -> list[tuple[str, str]]:
    """(path, file) of the further names of large files, by which a COPY would take these again, and of scripts that
    find what belongs to them beside the file that a link leads to."""
    named: dict[str, list[str]] = {}
    for path in paths:
        named.setdefault(image.resolved(path), []).append(path)
    found: list[tuple[str, str]] = []
    for place, names in named.items():
        node = image.tree.find(place)
        if node is None or node.children is not None:
            continue
        again = len(names) > 1 and node.entry.size >= _LINKED
        found += [(name, place) for name in names if name != place and (again or _leads_to_script(image, name))]
    return found


def _joined(image: ImageFiles, whole: list[str], files: set[str], kept: set[str]) -> list[str]:
    """Directories to copy as a whole, so that few COPYs are left: first those that cost the least beside what they
    bring together."""
    found: list[str] = []
    copies = {*whole, *map(posixpath.dirname, files)}
    while len(copies) > _FEW:
        costs: list[tuple[float, str]] = []
        for directory in {*map(posixpath.dirname, copies), *copies} - (SYSTEM - _JOINED):
            count = sum(f"{path}/".startswith(f"{directory}/") for path in copies)
            node = image.tree.find(directory)
            if count > 1 and node is not None and (vain := _vain(node, directory, kept)) <= _SPARE:
                costs.append((vain / (count - 1), directory))
        if not costs:
            break
        _, directory = min(costs)
        found.append(directory)
        copies = {path for path in copies if not f"{path}/".startswith(f"{directory}/")} | {directory}
    return found


def _led_to(image: ImageFiles, whole: list[str]) -> tuple[set[str], list[str]]:
    """(files, directories) out of directories that are copied whole, to which links in them lead: these stay links."""
    files, directories = set[str](), list(whole)
    for directory in directories:  # grows
        top = image.tree.find(directory)
        for path, node in files_below(top, directory) if top is not None else ():
            place = image.resolved(path)
            if node.entry.kind != SYMLINK or any(f"{place}/".startswith(f"{other}/") for other in directories):
                continue
            kind = image.artifact(place).kind
            if kind == "directory" and place not in SYSTEM:
                directories.append(place)
            elif kind in ("file", "elf", "script"):
                files.add(place)
    found = directories[len(whole) :]
    for directory in sorted({posixpath.dirname(path) for path in files}):
        inside = {path for path in files if posixpath.dirname(path) == directory}
        home = image.tree.find(directory)
        if len(inside) > _MOST and home is not None and _vain(home, directory, inside) <= _SPARE:
            files -= inside
            found.append(directory)
    return files, found


def _leads_to_script(image: ImageFiles, path: str) -> bool:
    place = image.resolved(path)
    directory = posixpath.dirname(path)
    if image.resolved(directory) != directory:
        return False
    return posixpath.dirname(place) != directory and image.artifact(place).kind in ("script", "file")


def _owner(image: ImageFiles, path: str) -> str:
    """The owner of a directory with all that is in it, where that is not root; "" where it is, or where they differ."""
    node = image.tree.find(path)
    if node is None or node.children is None:
        return ""
    nodes = [node, *(at for _, at in nodes_below(node))]
    owners = {f"{at.entry.uid}:{at.entry.gid}" for at in nodes}
    owner = owners.pop()
    return owner if not owners and owner != "0:0" else ""


def _top(run: ImageFiles, path: str) -> str:
    """The highest directory at or above a path that the image for the run lacks."""
    top = path
    while (path := posixpath.dirname(path)) != "/":
        if run.tree.find(path) is None and path not in SYSTEM:
            top = path
    return top


def _cover(image: ImageFiles, path: str, kept: set[str]) -> Iterator[str]:
    """The highest files and directories at or below a path in which all is kept but links to nothing."""
    node = image.tree.find(path)
    if node is None or node.children is None:
        if path in kept:
            yield path
        return
    inside = {
        place for place, at in files_below(node, path)
        if place in kept or at.entry.kind != SYMLINK or image.artifact(place).kind
    }  # fmt: skip
    if inside and inside <= kept:
        yield path
    elif inside & kept:
        for name in sorted(node.children):
            yield from _cover(image, f"{path}/{name}", kept)


def _vain(node: PathNode, path: str, kept: set[str]) -> int:
    """The bytes below a path that need not be copied."""
    return sum(at.entry.size for place, at in files_below(node, path) if at.inode is not None and place not in kept)


def _size(node: PathNode | None, path: str) -> int:
    if node is None:
        return 0
    return sum(at.entry.size for _, at in files_below(node, path) if at.inode is not None)
