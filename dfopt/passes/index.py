"""The index of the passes: what must be known of each before it is imported.

It is derived from the passes and nowhere kept by hand. A wheel brings it (`dfopt._built`, made when the wheel is); in
a checkout it is made by importing every pass, and kept beside the compiled code until a file of this folder changes.
"""

from __future__ import annotations

import os
import sys

from dfopt.files import read_regular
from dfopt.knowledge import BUILT
from dfopt.passes import modules
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from dfopt.passes.base import Pass

    Row: TypeAlias = tuple[
        str, str, tuple[str, ...], bool, tuple[str, ...], str, int, tuple[str, str] | None, bool, str, str
    ]


class Entry(Record):
    """One pass: its class variables of the same names (see `base.Pass`), and its class."""

    name: str
    group: str
    codes: tuple[str, ...]
    default: bool
    triggers: tuple[str, ...]
    phase: str
    order: int
    strategy: tuple[str, str] | None
    by_name: bool
    module: str
    kind: str

    def load(self) -> type[Pass]:
        """The class of the pass; imports its module."""
        found: type[Pass] = getattr(__import__(self.module, fromlist=("_",)), self.kind)
        return found

    def named(self, word: str) -> bool:
        """Whether the word (in lower case) selects the pass."""
        return selects(word, self)


def selects(word: str, one: Entry | type[Pass]) -> bool:
    """Whether the word (in lower case) selects a pass: as its name, one of its codes, and, unless it is selected by
    name only, its group or "all"."""
    if word == one.name or (word in ("all", one.group) and not one.by_name):
        return True
    return any(word == code.lower() for code in one.codes)


_entries: tuple[Entry, ...] = ()
_FOLDER = os.path.dirname(__file__)


def entries() -> tuple[Entry, ...]:
    """Every pass, in running order."""
    global _entries
    if not _entries:
        _entries = tuple([Entry(*row) for row in (_built() if BUILT else _kept())])
    return _entries


def rows() -> list[Row]:
    """The index, made anew from the passes themselves: the fields of each entry. Imports every pass."""
    from dfopt.passes.base import registered

    return [
        (
            cls.name,
            cls.group,
            cls.codes,
            cls.default,
            cls.triggers,
            cls.phase,
            cls.order,
            cls.strategy,
            cls.by_name,
            cls.__module__,
            cls.__qualname__,
        )
        for cls in registered().values()
    ]


def _built() -> Iterable[Row]:
    """The index that the wheel brought."""
    found: tuple[Row, ...] = __import__("dfopt._built.passes", fromlist=("ROWS",)).ROWS
    return found


def _kept() -> Iterable[Row]:
    """The index as an earlier run kept it, where it still holds; else made, and kept if that can be."""
    import marshal
    from _frozen_importlib_external import cache_from_source  # importlib's own, without its package

    state = _state()
    place = cache_from_source(os.path.join(_FOLDER, "index")).removesuffix(".pyc") + ".index"
    try:
        kept = marshal.loads(read_regular(place))
        if kept[0] == state:
            found: list[Row] = kept[1]
            return found
    except (OSError, EOFError, ValueError, TypeError, IndexError):
        pass
    made = rows()
    if not sys.dont_write_bytecode:
        _keep(place, marshal.dumps((state, made)))
    return made


def _keep(place: str, data: bytes) -> None:
    """Writes atomically, if at all: nobody depends on it."""
    from dfopt.writing import replace_file

    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        replace_file(place, data)
    except OSError:
        pass


def _state() -> list[tuple[str, int, int]]:
    """What the index depends on: the modules of this folder and of those below, by name, size and time of change."""
    state: list[tuple[str, int, int]] = []
    for name, entry in modules():
        status = entry.stat()
        state.append((name, status.st_size, status.st_mtime_ns))
    state.sort()
    return state
