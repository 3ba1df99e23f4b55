"""Facts about the world, as TOML tables beside this file. Each table names where its facts come from.

A table is compiled like a module: Python's bytecode cache keeps its parsed form in `__pycache__`, so that the TOML
parser is imported only after a table changed (or where the cache cannot be written).
"""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_tables: dict[str, dict[str, Any]] = {}


class _TableLoader(SourceFileLoader):
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:
        try:
            import tomllib
        except ModuleNotFoundError:  # Python 3.10
            import tomli as tomllib
        return compile(f"TABLE = {tomllib.loads(bytes(data).decode())!r}", path, "exec")


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
