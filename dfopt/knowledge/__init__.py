"""Facts about the world, as TOML tables beside this file. Each table names where its facts come from."""

from __future__ import annotations

import os
import sys

from dfopt.derived import derived, state_of_file
from dfopt.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_tables: dict[str, dict[str, Any]] = {}  # asked for thousands of times


def load_toml(data: bytes) -> dict[str, Any]:
    """A TOML document. Raises ValueError (tomllib.TOMLDecodeError, UnicodeDecodeError) where it is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(data.decode())


def table(name: str) -> dict[str, Any]:
    """The table `name` ("programs" for programs.toml). Read-only by agreement: it is shared. The TOML parser is
    imported only after a table changed (see `derived`)."""
    known = _tables.get(name)
    if known is None:
        known = _tables[name] = derived(
            f"knowledge/{name}", lambda: parse_table(name), state_of_file("knowledge", f"{name}.toml")
        )
    return known


def parse_table(name: str) -> dict[str, Any]:
    """The table, read anew."""
    return load_toml(read_regular(os.path.join(os.path.dirname(__file__), f"{name}.toml")))


def names() -> list[str]:
    """Every table."""
    return sorted(
        stem for stem, suffix in map(os.path.splitext, os.listdir(os.path.dirname(__file__))) if suffix == ".toml"
    )
