"""Which Dockerfile of a tree builds the base image of another one.

A build definition (Compose's `image`, bake's `tags`, `docker build -t`) says under which name it builds one. Else a
name tells: `org/php:8.3` is built by `php/8.3/Dockerfile`, `php-8.3/Dockerfile` or `php/Dockerfile.8.3`, else,
whatever its tag, by the only `php/Dockerfile`, `Dockerfile.php` or `php.Dockerfile`. Two that fit are none. A file that
starts from a repository of that name itself does not build it. A name without a namespace is Docker Hub's as often as
one's own: it counts only where it has several parts (`my-base`) and no table knows it.
"""

from __future__ import annotations

import os
import re

from dfopt.facts import Parent
from dfopt.ir.base_images import base_facts, split_image
from dfopt.workspace.children import (
    GENERAL,
    MOST_TREES,
    TreeTooLarge,
    dockerfiles_below,
    image_names,
    read_dockerfile,
    repository_of,
)
from dfopt.workspace.expiring_cache import ExpiringCache
from dfopt.workspace.image_builds import dockerfiles_that_build
from dfopt.workspace.paths import display_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = re.compile(r"(?:(?:docker|container)file(?:\.(?P<behind>.+))?|(?P<before>.+)\.(?:docker|container)file)\Z")

_trees = ExpiringCache(MOST_TREES)


def parent_of(path: str, root: str, image: str) -> Parent | None:
    """The Dockerfile of the repository (below `root`) of the one at `path` that builds `image`; None where no one, or
    more than one, is called so, or the tree is too large."""
    repository, _ = split_image(image)
    namespace, _, name = repository.lower().rpartition("/")
    if not root or (not namespace and base_facts(image) is not None):
        return None
    top = repository_of(path, os.path.abspath(root))
    own_path = os.path.realpath(path)
    for files in _candidates(image, top):
        files = [file for file in files if os.path.realpath(file) != own_path]
        texts = [(file, text) for file in files if (text := read_dockerfile(file)) is not None]
        texts = [(file, text) for file, text in texts if name not in image_names(text)]
        if texts:
            return Parent(display_name(texts[0][0]), texts[0][1]) if len(texts) == 1 else None
    return None


def _candidates(image: str, root: str) -> Iterator[list[str]]:
    """The Dockerfiles below `root` that may build an image, from the surest to the least sure."""
    yield from dockerfiles_that_build(image, root)
    repository, tag = split_image(image)
    namespace, _, name = repository.lower().rpartition("/")
    if name in GENERAL or (not namespace and not re.search(r"[-_]", name)):
        return
    builds = _trees.get(root, _builds)
    for key in (f"{name}:{(tag or '').lower()}", name):
        yield [os.path.join(root, path) for path in builds.get(key, ())]


def _builds(root: str) -> dict[str, list[str]]:
    """Name, and "name:tag", of an image -> the Dockerfiles below `root`, relative to it, that are called so."""
    try:
        paths = [os.path.relpath(file, root) for file in dockerfiles_below(root)]
    except TreeTooLarge:
        return {}
    builds: dict[str, list[str]] = {}
    for path in paths:
        for key in _keys(path.lower().replace(os.sep, "/")):
            builds.setdefault(key, []).append(path)
    return builds


def _keys(path: str) -> set[str]:
    """What the image of the Dockerfile at a relative path (lower case) may be called."""
    *directories, file = path.split("/")
    match = _FILE.match(file)
    suffix = (match["behind"] or match["before"] or "") if match is not None else ""
    parent = directories[-1] if directories else ""
    above = directories[-2] if len(directories) > 1 else ""
    keys = {suffix, f"{parent}:{suffix}"} if suffix else {parent, f"{above}:{parent}", _dashed(parent)}
    return {key for key in keys if key and not key.startswith(":") and not key.endswith(":")}


def _dashed(directory: str) -> str:
    """`php-8.3` as php:8.3; "" where no part of the name looks like a tag."""
    match = re.fullmatch(r"(.+?)-(v?\d[\w.-]*)", directory)
    return f"{match[1]}:{match[2]}" if match is not None else ""
