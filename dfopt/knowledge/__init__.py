"""Facts about the world, as TOML tables beside this file. Each table names where its facts come from.

A wheel brings them parsed (`dfopt._built`). In a checkout a table is compiled like a module: Python's bytecode cache
keeps its parsed form in `__pycache__`, so that the TOML parser is imported only after a table changed.
"""

from __future__ import annotations

import os
import sys

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


BUILT = os.path.isdir(os.path.join(os.path.dirname(os.path.dirname(__file__)), "_built"))


def table(name: str) -> dict[str, Any]:
    """The table `name` ("programs" for programs.toml). Read-only by agreement: it is shared."""
    found = _tables.get(name)
    if found is None:
        if BUILT:
            found = __import__(f"dfopt._built.table_{name}", fromlist=("TABLE",)).TABLE
        else:
            found = _compiled(name)
        assert found is not None
        _tables[name] = found
    return found


def _compiled(name: str) -> dict[str, Any]:
    from _frozen_importlib_external import SourceFileLoader  # importlib's own, without its package

    class Loader(SourceFileLoader):
        def source_to_code(  # type: ignore[override]  # typeshed calls it static; importlib calls it on the loader
            self, data: Any, path: Any, *, _optimize: int = -1
        ) -> CodeType:
            return compile(f"TABLE = {load_toml(bytes(data))!r}", path, "exec")

    path = os.path.join(os.path.dirname(__file__), name + ".toml")
    code = Loader(f"dfopt.knowledge.{name}", path).get_code(f"dfopt.knowledge.{name}")
    assert code is not None
    space: dict[str, Any] = {}
    exec(code, space)
    found: dict[str, Any] = space["TABLE"]
    return found
