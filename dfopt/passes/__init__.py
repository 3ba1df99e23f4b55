"""The passes. A pass is a module here, or, with helpers, the module of a folder's own name in that folder; a family of
passes shares one. Defining the class registers it: a new file is found by itself."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_loaded = False


def _modules() -> Iterator[str]:
    """The dotted name of every module below this folder, helpers included, in no fixed order."""
    stack = [("dfopt.passes", os.path.dirname(__file__))]
    while stack:
        package, folder = stack.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, _, suffix = entry.name.partition(".")
                if suffix == "py" and stem != "__init__":
                    yield f"{package}.{stem}"
                elif not suffix and stem != "__pycache__" and entry.is_dir():
                    stack.append((f"{package}.{stem}", entry.path))


def load() -> None:
    """Imports every pass, once."""
    global _loaded
    if not _loaded:
        _loaded = True
        for name in sorted(_modules()):
            __import__(name)
