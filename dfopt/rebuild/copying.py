"""Which files of a step COPY carries: those that a person can review, and a copy of a directory keeps as they are."""

from __future__ import annotations

import re

from dfopt.image.layers import DIRECTORY, FILE
from dfopt.rebuild.model import CopyGroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dfopt.image.layers import LayerEntry
    from dfopt.image.merged_tree import PathNode

# A word of COPY means itself, on every file system, and is no option.
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+=,-]{0,199}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?|.*\.", re.IGNORECASE)  # on Windows
_LARGEST = 10 << 20
_MOST_FILES = 1000  # of all COPYs of a step
_MOST_BYTES = 50 << 20
_MOST_COPIES = 20
# Places of packages, and of what programs write for themselves.
_SYSTEM = ("/bin/", "/sbin/", "/lib", "/usr/", "/var/", "/boot/", "/proc/", "/sys/", "/dev/", "/run/", "/tmp/")
_DATABASES = frozenset(
    ("/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/rpm/rpmdb.sqlite",
     "/usr/lib/sysimage/rpm/rpmdb.sqlite")
)  # fmt: skip
_OWN = ("/usr/local/bin/", "/usr/local/sbin/", "/usr/local/etc/", "/usr/src/", "/usr/share/nginx/html/", "/var/www/")
_GENERATED = re.compile(r"/(?:site-packages|dist-packages|node_modules|__pycache__|\.git|\.cache|gems)/")
_OF_PACKAGES, _MANY = "files of packages or of the system", "too many to review"


def plan_copies(
    before: Mapping[str, LayerEntry], after: Mapping[str, PathNode], paths: Iterable[str], owned: Collection[str]
) -> tuple[tuple[CopyGroup, ...], dict[str, int]]:
    """The COPYs of a step whose files have these paths, and why the others are not among them -> how many."""
    reasons: dict[str, int] = {}
    candidates: dict[str, PathNode] = {}
    spelling: dict[str, str] = {}
    paths = list(paths)
    system = (*_SYSTEM, "/etc/") if any(path in _DATABASES for path in paths) else _SYSTEM  # packages configure there
    for path in paths:
        node = after[path]
        reason = _obstacle(path, node, before, after, owned, system)
        if not reason and not all(spelling.setdefault(place.lower(), place) == place for place in _upwards(path)):
            reason = "names that differ in case only"
        if reason:
            reasons[reason] = reasons.get(reason, 0) + 1
            continue
        candidates[path] = node
    groups = _grouped(before, after, candidates)
    left = len(candidates) - sum(len(group.files) for group in groups)
    if left:
        reasons["in directories of other modes or owners"] = left
    kept = _reviewable(groups, after)
    if len(kept) < len(groups):
        reasons[_MANY] = sum(len(group.files) for group in groups) - sum(len(group.files) for group in kept)
    return kept, dict(sorted(reasons.items(), key=lambda item: -item[1]))


def _reviewable(groups: tuple[CopyGroup, ...], after: Mapping[str, PathNode]) -> tuple[CopyGroup, ...]:
    """The groups that a person may look through: those of the fewest files, within the limits, in their order."""
    chosen: set[CopyGroup] = set()
    files = size = 0
    for group in sorted(groups, key=lambda group: len(group.files)):
        files += len(group.files)
        size += sum(after[path].entry.size for path in group.files)
        if len(chosen) == _MOST_COPIES or files > _MOST_FILES or size > _MOST_BYTES:
            break
        chosen.add(group)
    return tuple(group for group in groups if group in chosen)


def _upwards(path: str) -> Iterator[str]:
    """A path, and all above it but the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _obstacle(
    path: str,
    node: PathNode,
    before: Mapping[str, LayerEntry],
    after: Mapping[str, PathNode],
    owned: Collection[str],
    system: tuple[str, ...],
) -> str:
    """Why a file is not carried by COPY, or ""."""
    entry = node.entry
    if path in owned or (path.startswith(system) and not path.startswith(_OWN)) or _GENERATED.search(path):
        return _OF_PACKAGES
    if entry.mode not in (0o644, 0o755):
        return "modes other than 644 and 755"
    if entry.xattrs:
        return "capabilities and other attributes"
    if node.inode is None or node.inode.links != 1:
        return "hard links"
    if entry.size > _LARGEST:
        return "large files"
    if not all(_NAME.fullmatch(part) and not _RESERVED.fullmatch(part) for part in path.split("/")[1:]):
        return "names that a COPY or a file system may take otherwise"
    old = before.get(path)
    if old is not None and old.kind != FILE:
        return "files in the place of something else"
    parent, _, name = path.rpartition("/")
    if name.endswith(".py") and f"{parent}/__pycache__" in after:
        return "Python sources whose compiled twins know their times"
    return ""


def _grouped(
    before: Mapping[str, LayerEntry], after: Mapping[str, PathNode], candidates: Mapping[str, PathNode]
) -> tuple[CopyGroup, ...]:
    """The files by the highest directory that is new with them, else by the directory that is there."""
    groups: dict[tuple[str, bool, tuple[int, int]], list[str]] = {}
    roots: dict[str, str | None] = {}
    for path, node in candidates.items():
        owner = node.entry.uid, node.entry.gid
        parent = path.rpartition("/")[0] or "/"
        if _existed(parent, before, after):
            groups.setdefault((parent, False, owner), []).append(path)
            continue
        if parent not in roots:
            roots[parent] = _root(parent, before, after)
        root = roots[parent]
        if root is not None and (after[root].entry.uid, after[root].entry.gid) == owner:
            groups.setdefault((root, True, owner), []).append(path)
    return tuple(
        CopyGroup(directory if is_new else "", tuple(files), directory, owner)
        for (directory, is_new, owner), files in groups.items()
    )


def _existed(path: str, before: Mapping[str, LayerEntry], after: Mapping[str, PathNode]) -> bool:
    """Whether a directory is there before the step; one without anything is, as the root."""
    old = before.get(path)
    return path == "/" or (old is not None and old.kind == DIRECTORY and after[path].children is not None)


def _root(parent: str, before: Mapping[str, LayerEntry], after: Mapping[str, PathNode]) -> str | None:
    """The highest new directory above files in `parent`; None where one on the way is not as COPY would make it."""
    owner = after[parent].entry.uid, after[parent].entry.gid
    place = parent
    while True:
        entry = after[place].entry
        if entry.mode != 0o755 or (entry.uid, entry.gid) != owner or entry.xattrs or place in before:
            return None
        above = place.rpartition("/")[0] or "/"
        if _existed(above, before, after):
            return place
        place = above
