"""Facts about the world, as TOML tables beside this file. Each table names where its facts come from.

A table is compiled like a module: Python's bytecode cache keeps its parsed form in `__pycache__`, so that the TOML
parser is imported only after a table changed (or where the cache cannot be written).
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_tables: dict[str, dict[str, Any]] = {}


def load_toml(data: bytes) -> dict[str, Any]:
    """A TOML document. Raises ValueError (tomllib.TOMLDecodeError, UnicodeDecodeError) where it is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(data.decode())


class _TableLoader(SourceFileLoader):
    def source_to_code(  # type: ignore[override]  # typeshed calls it static; importlib calls it on the loader
        self, data: Any, path: Any, *, _optimize: int = -1
    ) -> CodeType:
        return compile(f"TABLE = {load_toml(bytes(data))!r}", path, "exec")


def table(name: str) -> dict[str, Any]:
    """The table `name` ("programs" for programs.toml). Read-only by agreement: it is shared."""
    found = _tables.get(name)
    if found is None:
        path = os.path.join(os.path.dirname(__file__), name + ".toml")
        space: dict[str, Any] = {}
        code = _TableLoader(f"dfopt.knowledge.{name}", path).get_code(f"dfopt.knowledge.{name}")
        assert code is not None
        exec(code, space)
        found = _tables[name] = space["TABLE"]
    return found
