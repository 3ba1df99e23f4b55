"""What the build definitions of a tree state of a Dockerfile that was not found through one of them.

Looked at are the definitions beside the Dockerfile and in the directories above it, and GitHub's workflows there: few
files, each read once and kept for KEPT seconds. Nothing is imported where there are none.
"""

from __future__ import annotations

import os
import time

from dfopt.workspace.discovery import may_define
from dfopt.workspace.paths import bound_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.build_definitions.model import BuildTarget

KEPT = 60.0  # seconds for which a directory is taken to be as it was
MOST_DEFINITIONS = 50  # of one directory; in a larger one nothing is looked for

_directories: dict[str, tuple[float, list[BuildTarget]]] = {}


def stated_directory(path: str, directories: Sequence[str]) -> str | None:
    """The build context of the Dockerfile at `path`, by the definitions in `directories`; None where they state none,
    or several."""
    users = builds_of(path, directories)
    if not users:
        return None
    from dfopt.workspace.definitions import stated_context

    return stated_context(users, bound_of(path))


def builds_of(path: str, directories: Sequence[str]) -> list[BuildTarget]:
    """The builds of the Dockerfile at `path` that the definitions in `directories` (absolute) state."""
    targets: list[BuildTarget] = []
    absolute = os.path.abspath(path)
    for directory in directories:
        for place in (directory, os.path.join(directory, ".github", "workflows")):
            targets += [target for target in _builds(place, absolute) if target.dockerfile == absolute]
    return targets


def _builds(directory: str, dockerfile: str) -> list[BuildTarget]:
    read_at, known = _directories.get(directory, (0.0, []))
    if directory in _directories and time.monotonic() - read_at < KEPT:
        return known
    try:
        names = sorted(name for name in os.listdir(directory) if may_define(name))
    except OSError:
        names = []
    targets: list[BuildTarget] = []
    if names:
        from dfopt.build_definitions.formats import format_of

        definitions = [at for name in names if format_of(at := os.path.join(directory, name)) is not None]
        if 0 < len(definitions) <= MOST_DEFINITIONS:
            from dfopt.workspace.definitions import targets_of

            root = bound_of(dockerfile)
            targets = [target for definition in definitions for target in targets_of(definition, root)]
    _directories[directory] = time.monotonic(), targets
    return targets
