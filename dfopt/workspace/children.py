"""Which Dockerfiles of a tree may be built on the image of another one.

What an image is called is said where it is built, and not in its Dockerfile: in a build definition (Compose, bake, a
script), where there is one. And names are compared: a file may be built
on the image of `docker/base-image/Dockerfile`, `base-image.Dockerfile` or `Dockerfile.base-image` where a FROM of it
names an image whose last part is `base-image`.
"""

from __future__ import annotations

import os
import re

from dfopt.facts import Child
from dfopt.files import read_regular
from dfopt.ir.base_images import split_image
from dfopt.source import decode
from dfopt.workspace.discovery import is_dockerfile
from dfopt.workspace.expiring_cache import ExpiringCache
from dfopt.workspace.image_builds import stated_names
from dfopt.workspace.paths import VERSION_CONTROL, above_in_repository, display_name
from dfopt.workspace.tracked_files import in_order_of_walk, tracked_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_DIRECTORIES = 10_000  # a larger tree is not searched
MOST_FILES = 2_000  # children whose text is kept
_LARGEST = 1 << 20  # bytes; a larger file is no Dockerfile
MOST_TREES = 8  # of which it is known at a time
_FROM = re.compile(r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)", re.I | re.M)
_SKIPPED = VERSION_CONTROL | {"node_modules", ".venv"}
# names of directories and files that are not names of images
GENERAL = frozenset((
    "", "docker", ".docker", "dockerfile", "dockerfiles", "container", "containers", "containerfile", "containerfiles",
    "build", ".build", "src", "app", "deploy", "ci", ".ci", ".devcontainer", ".github", "dev", "prod", "test", "tests",
    "latest", "debian", "ubuntu", "alpine", "scratch",
))  # fmt: skip

_files: dict[str, tuple[tuple[int, int, int], str, str | None]] = {}
_trees = ExpiringCache(MOST_TREES)


def names_of(path: str) -> frozenset[str]:
    """What the image of a Dockerfile may be called (lower case), by build definitions, its directory's name and its
    own."""
    file = os.path.basename(path).lower()
    stem = re.sub(r"^(?:docker|container)file\.|\.(?:docker|container)file$", "", file)
    names = {stem, os.path.basename(os.path.dirname(os.path.abspath(path))).lower()} - {"dockerfile", "containerfile"}
    guessed = frozenset(name for name in names if name not in GENERAL and not re.fullmatch(r"[\d.v_-]+", name))
    return guessed | stated_names(path)


def children_of(path: str, root: str) -> tuple[Child, ...] | None:
    """The Dockerfiles of the repository (below `root`; without a repository, all below it) that may be built on the
    image of the one at `path`. None where its image may be called anything, or the tree is too large."""
    names = names_of(path)
    if not names or not root:
        return None
    tree = _trees.get(repository_of(path, os.path.abspath(root)), _tree)
    if tree is None:
        return None
    parent_path = os.path.realpath(path)
    children: dict[str, Child] = {}
    for name in sorted(names):
        for file in tree.get(name, ()):
            real_path, text = _kept(file)
            if real_path != parent_path and text is not None:
                children[file] = Child(display_name(file), text, names)
    return tuple(children.values())


def repository_of(path: str, root: str) -> str:
    """The root of the repository that holds a file, where it lies below `root`, else `root`."""
    directory = os.path.dirname(os.path.abspath(path))
    above = above_in_repository(directory)
    if above is None:
        return root
    top = above[-1] if above else directory
    return top if top.startswith(os.path.join(root, "")) else root


def image_names(text: str) -> set[str]:
    """The last parts (lower case) of the images that a Dockerfile names in FROM."""
    names = {split_image(word.strip("\"'"))[0].rpartition("/")[2].lower() for word in _FROM.findall(text)}
    return {name for name in names if name and "$" not in name}


def _kept(file: str) -> tuple[str, str | None]:
    """The real path of a file, and its text as `read_dockerfile` gives it: the children of one image may be those of
    many, so that they are read again only where they changed."""
    try:
        status = os.lstat(file)
    except OSError:
        return file, None
    state = status.st_mtime_ns, status.st_size, status.st_ino
    kept = _files.get(file)
    if kept is None or kept[0] != state:
        if len(_files) >= MOST_FILES:
            _files.clear()
        kept = _files[file] = state, os.path.realpath(file), read_dockerfile(file)
    return kept[1], kept[2]


def _tree(root: str) -> dict[str, list[str]] | None:
    """Last part of an image's name -> the Dockerfiles below `root` that name such an image."""
    files_by_name: dict[str, list[str]] = {}
    try:
        for file in dockerfiles_below(root):
            for name in image_names(read_dockerfile(file) or ""):
                files_by_name.setdefault(name, []).append(file)
    except TreeTooLarge:
        return None
    return files_by_name


class TreeTooLarge(Exception):
    """A tree of more than MOST_DIRECTORIES directories, or of as many Dockerfiles."""


def dockerfiles_below(root: str) -> Iterator[str]:
    """The Dockerfiles below a directory, as a walk comes by them; of the root of a checkout, those that git tracks.
    Raises TreeTooLarge."""
    named = tracked_files(root, lambda path: is_dockerfile(path.rpartition("/")[2]))
    if named is not None:
        if len(named) > MOST_DIRECTORIES:
            raise TreeTooLarge
        for path in in_order_of_walk(named):
            if _SKIPPED.isdisjoint(path.split("/")[:-1]):
                yield os.path.join(root, path.replace("/", os.sep))
        return
    for count, (directory, directories, files) in enumerate(os.walk(root)):
        if count > MOST_DIRECTORIES:
            raise TreeTooLarge
        directories[:] = sorted(name for name in directories if name not in _SKIPPED)
        yield from (os.path.join(directory, name) for name in sorted(files) if is_dockerfile(name))


def read_dockerfile(file: str) -> str | None:
    try:
        return None if os.path.islink(file) else decode(read_regular(file, _LARGEST))
    except OSError:
        return None
