"""What the build definitions of a tree say of images: which Dockerfile is built under a name, and under which names a
Dockerfile is built."""

from __future__ import annotations

import os

from dfopt.ir.base_images import base_facts, split_image
from dfopt.workspace.discovery import is_searched
from dfopt.workspace.expiring_cache import ExpiringCache
from dfopt.workspace.paths import VERSION_CONTROL, above_in_repository
from dfopt.workspace.stated_builds import builds_of, definition_text
from dfopt.workspace.tracked_files import in_order_of_walk, tracked_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.build_definitions.model import BuildTarget

MOST_DIRECTORIES = 10_000  # a larger tree is not searched
MOST_DEFINITIONS = 1_000  # nor one of more definitions
MOST_TREES = 8  # of which it is known at a time
_SKIPPED = VERSION_CONTROL | {"node_modules", ".venv"}


class _Tree:
    """The definitions below a directory: their texts in lower case, and their targets once somebody asked for a name
    that stands in them."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.texts = self._texts()
        self.targets: dict[str, list[BuildTarget]] = {}

    def _texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for path in self._definitions():
            try:
                texts[path] = "" if os.path.islink(path) else definition_text(path).lower()
            except OSError:
                continue
            if len(texts) > MOST_DEFINITIONS:
                return {}
        return texts

    def _definitions(self) -> list[str]:
        """The files that may be definitions, as a walk comes by them; none of a tree that is too large."""
        paths: list[str] = []
        tracked = tracked_files(self.root, self._is_searched)
        if tracked is not None:
            return [os.path.join(self.root, path.replace("/", os.sep)) for path in in_order_of_walk(tracked)]
        for count, (directory, directories, files) in enumerate(os.walk(self.root)):
            if count >= MOST_DIRECTORIES:
                return []
            directories[:] = sorted(name for name in directories if name not in _SKIPPED)
            paths += [os.path.join(directory, name) for name in sorted(files) if is_searched(name, directory)]
        return paths

    def _is_searched(self, path: str) -> bool:
        directory, _, name = path.rpartition("/")
        place = os.path.join(self.root, directory.replace("/", os.sep)) if directory else self.root
        return is_searched(name, place) and _SKIPPED.isdisjoint(directory.split("/"))

    def naming(self, word: str) -> Iterable[BuildTarget]:
        """The targets of the definitions in which a word (lower case) stands."""
        from dfopt.workspace.definitions import targets_of

        for path, text in self.texts.items():
            if word in text:
                if path not in self.targets:
                    self.targets[path] = targets_of(path, self.root)
                yield from self.targets[path]


_trees = ExpiringCache(MOST_TREES)


def dockerfiles_that_build(image: str, root: str) -> tuple[list[str], list[str]]:
    """The Dockerfiles that definitions below `root` build under the name `image`: with its tag, and with any."""
    tree = _trees.get(root, _Tree)
    repository, tag = split_image(image.lower())
    exact: dict[str, None] = {}
    others: dict[str, None] = {}
    for target in tree.naming(repository.rpartition("/")[2]):
        if not isinstance(target.dockerfile, str) or not os.path.isfile(target.dockerfile):
            continue
        for name in target.tags:
            if isinstance(name, str):
                built, built_tag = split_image(name.lower())
                if built == repository:
                    others[target.dockerfile] = None
                    if (built_tag or "latest") == (tag or "latest"):
                        exact[target.dockerfile] = None
    return list(exact), list(others)


def stated_names(path: str) -> frozenset[str]:
    """The last parts (lower case) of the names under which definitions beside the Dockerfile at `path`, or above it,
    build its image."""
    directory = os.path.dirname(os.path.abspath(path))
    names: set[str] = set()
    for target in builds_of(path, [directory, *(above_in_repository(directory) or ())], naming=True):
        for tag in target.tags:
            # `FROM postgres` means Docker Hub's, whatever a service calls its own image
            if isinstance(tag, str) and ("/" in tag or base_facts(tag) is None):
                names.add(split_image(tag.lower())[0].rpartition("/")[2])
    return frozenset(name for name in names if name)
