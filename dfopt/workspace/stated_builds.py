"""What the build definitions of a tree state of a Dockerfile that was not found through one of them.

Looked at are the definitions beside the Dockerfile and in the directories above it, and GitHub's workflows there: few
files, each read once and kept for a while. Nothing is imported where there are none.
"""

from __future__ import annotations

import os

from dfopt.facts import StatedBuild
from dfopt.files import read_regular
from dfopt.lazy import regex
from dfopt.source import decode
from dfopt.workspace.discovery import may_define
from dfopt.workspace.expiring_cache import ExpiringCache
from dfopt.workspace.paths import above_in_repository, bound_of, display_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.build_definitions.model import BuildTarget

MOST_DIRECTORIES = 500  # whose definitions are kept: those of a file and above it, and of files nearby
MOST_DEFINITIONS = 50  # of one directory; in a larger one nothing is looked for

# `image: org/app`, `tags = [`, `-t org/app`: a definition without such a name names no image that others are built on
_NAMES_IMAGES = regex(
    r"""\bimage["']?[ \t]*[:=][ \t]*["']?[^\s"'/]{1,200}/|\btags["']?[ \t]*[:=]|[ \t](?:-t|--tag)\b"""
)

_directories = ExpiringCache(MOST_DIRECTORIES)


class _Definition:
    """A definition: its builds, once somebody asked for them."""

    __slots__ = ("_names_images", "_targets", "_text", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._text: str | None = None
        self._targets: list[BuildTarget] | None = None
        self._names_images: bool | None = None

    def text(self) -> str:
        if self._text is None:
            try:
                self._text = definition_text(self.path)
            except OSError:
                self._text = ""
        return self._text

    def targets(self, root: str) -> list[BuildTarget]:
        if self._targets is None:
            from dfopt.workspace.definitions import targets_of

            self._targets = targets_of(self.path, root)
        return self._targets

    def names_images(self) -> bool:
        """Whether it can name an image with a namespace: by its text, which is not parsed for that."""
        if self._names_images is None:
            self._names_images = _NAMES_IMAGES.search(self.text()) is not None
        return self._names_images

    def may_build(self, dockerfile: str, top: str) -> bool:
        """Whether it can state a build of a Dockerfile in the repository at `top`, by its text: a workflow runs there,
        and knows what lies deeper by its name alone."""
        directory = os.path.dirname(dockerfile)
        return directory == top or os.path.basename(directory) in self.text()


def definition_text(path: str) -> str:
    """The text of a definition. Raises OSError, also where it is too large."""
    from dfopt.build_definitions.model import LARGEST

    return decode(read_regular(path, LARGEST))


def stated_directory(path: str, directories: Sequence[str]) -> str | None:
    """The build context of the Dockerfile at `path`, by the definitions in `directories`; None where they state none,
    or several."""
    users = builds_of(path, directories)
    if not users:
        return None
    from dfopt.workspace.definitions import stated_context

    return stated_context(users, bound_of(path))


def stated_builds(path: str) -> tuple[StatedBuild, ...]:
    """The builds of the Dockerfile at `path` that the definitions beside it, and in the directories above it up to the
    root of its repository, state."""
    directory = os.path.dirname(os.path.abspath(path))
    users = builds_of(path, [directory, *(above_in_repository(directory) or ())])
    return tuple([_stated(target) for target in users])


def _stated(target: BuildTarget) -> StatedBuild:
    def literal(value: object) -> str | None:
        return value if isinstance(value, str) else None

    return StatedBuild(
        f"{display_name(target.file)}:{target.line}", target.name, literal(target.target or ""),
        {name: literal(value) for name, value in target.args.items()}, literal(target.user or ""),
        tuple([literal(port) for port in target.ports]), tuple([literal(mount.target) for mount in target.mounts]),
    )  # fmt: skip


def builds_of(path: str, directories: Sequence[str], naming: bool = False) -> list[BuildTarget]:
    """The builds of the Dockerfile at `path` that the definitions in `directories` (absolute) state; `naming`: of those
    definitions alone that can name an image with a namespace."""
    targets: list[BuildTarget] = []
    absolute = os.path.abspath(path)
    root = ""
    for directory in directories:
        workflows = os.path.join(directory, ".github", "workflows")
        for place in (directory, workflows):
            for definition in _directories.get(place, _definitions):
                if place == workflows and not definition.may_build(absolute, directory):
                    continue  # to parse it would take longer than all else
                if not naming or definition.names_images():
                    root = root or bound_of(absolute)
                    targets += [target for target in definition.targets(root) if target.dockerfile == absolute]
    return targets


def _definitions(directory: str) -> list[_Definition]:
    try:
        names = sorted(name for name in os.listdir(directory) if may_define(name))
    except OSError:
        names = []
    definitions: list[_Definition] = []
    if names:
        from dfopt.build_definitions.formats import format_of

        definitions = [_Definition(at) for name in names if format_of(at := os.path.join(directory, name)) is not None]
        if len(definitions) > MOST_DEFINITIONS:
            definitions = []
    return definitions
