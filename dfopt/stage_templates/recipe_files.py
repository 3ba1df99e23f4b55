"""Recipe files: where they are, and reading them."""

from __future__ import annotations

import os

from dfopt.files import is_inside, read_regular
from dfopt.stage_templates.errors import RecipeError
from dfopt.toml import TomlError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUFFIX = ".toml"
_LIMIT = 1 << 20  # bytes


def shipped_directory() -> str:
    """The directory of dfopt's recipes: in the installed package, or next to it in the source tree."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "_recipes")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "recipes")


def content_of(path: str, display_path: str, root: str | None = None) -> bytes:
    """A recipe file; `root`: the directory that it must lie in, links resolved. Raises RecipeError."""
    if root is not None and not is_inside(path, root):
        raise RecipeError("lies outside of the repository", display_path)
    try:
        return read_regular(path, _LIMIT)
    except OSError as failure:
        raise RecipeError(failure.strerror or str(failure), display_path) from None


def document(content: bytes, display_path: str) -> tuple[str, dict[str, Any]]:
    try:
        return parse(content)
    except TomlError as failure:
        raise RecipeError(failure.message, display_path, failure.line, failure.column) from None


def files_below(directory: str) -> list[str]:
    """The ".toml" files of a directory and one level below (golden cases, two levels below, have such files too)."""
    paths: list[str] = []
    for folder in (directory, *_entries(directory)):
        if folder != directory and not os.path.isdir(folder):
            continue
        paths += [path for path in _entries(folder) if path.endswith(SUFFIX) and os.path.isfile(path)]
    return paths


def _entries(directory: str) -> list[str]:
    try:
        return sorted(os.path.join(directory, name) for name in os.listdir(directory) if not name.startswith("."))
    except OSError:
        return []


def shown_path(path: str) -> str:
    """A path for messages: relative to the working directory if it is below it."""
    here = os.path.join(os.getcwd(), "")
    absolute = os.path.abspath(path)
    return (absolute[len(here) :] if absolute.startswith(here) else path).replace(os.sep, "/")
