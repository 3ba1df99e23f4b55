"""Which files are build definitions, by their names, and the reader of each format."""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.model import BuildTarget
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.build_definitions.model import DefinitionTree

_patterns: dict[str, re.Pattern[str]] = {}


def format_of(path: str) -> str | None:
    """The format of a file by its absolute path; None for a file that is no build definition."""
    low = path.replace(os.sep, "/").lower()
    for name, words in table("build_definitions")["files"].items():
        pattern = _patterns.get(name)
        if pattern is None:
            alternatives = "|".join(re.escape(word).replace(r"\*", "[^/]*") for word in words)
            pattern = _patterns[name] = re.compile(rf"(?:^|/)(?:{alternatives})\Z")
        if pattern.search(low):
            return str(name)
    return None


def read_definition(format: str, text: str, file: str, tree: DefinitionTree, root: str) -> list[BuildTarget]:
    """The builds that a definition of a format states; `file` is its absolute path, `root` that of its repository.
    Raises DefinitionError."""
    if format == "compose":
        from dfopt.build_definitions.compose import read_compose

        return read_compose(text, file, tree)
    if format == "bake":
        from dfopt.build_definitions.bake import read_bake

        return read_bake(text, file, tree)
    if format in ("devcontainer", "skaffold"):
        from dfopt.build_definitions import development

        return getattr(development, f"read_{format}")(text, file, tree)  # type: ignore[no-any-return]
    if format in ("github", "gitlab"):
        from dfopt.build_definitions import pipelines

        return getattr(pipelines, f"read_{format}")(text, file, tree, root)  # type: ignore[no-any-return]
    from dfopt.build_definitions import scripts

    return getattr(scripts, f"read_{format}")(text, file, tree, root)  # type: ignore[no-any-return]
