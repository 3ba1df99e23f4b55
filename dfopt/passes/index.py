"""The index of the passes: what must be known of each before it is imported.

It is derived from the passes and nowhere kept by hand (see `derived`).
"""

from __future__ import annotations

from dfopt.derived import derived, state_of_folder
from dfopt.lazy import regex
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from dfopt.passes.base import Pass

    Row: TypeAlias = tuple[
        str, str, tuple[str, ...], tuple[str, ...], bool, tuple[str, ...], str, int, tuple[str, str] | None, bool, int,
        str, str,
    ]  # fmt: skip


_TRIVY = regex(r"(?:avd-)?ds-?0*(\d{1,4})\Z")


def code_key(word: str) -> str:
    """A name or code, in lower case, as it is compared: Trivy's checks have three spellings (DS002, DS-0002 and
    AVD-DS-0002), which are one."""
    if "ds" not in word[:6]:
        return word
    match = _TRIVY.match(word)
    return word if match is None else f"ds-{int(match[1]):04}"


class PassEntry(Record):
    """One pass: its class variables of the same names (see `base.Pass`), and its class."""

    name: str
    group: str
    tiers: tuple[str, ...]
    codes: tuple[str, ...]
    default: bool
    triggers: tuple[str, ...]
    phase: str
    order: int
    strategy: tuple[str, str] | None
    by_name: bool
    level: int
    module: str
    kind: str

    def load(self) -> type[Pass]:
        """The class of the pass; imports its module."""
        found: type[Pass] = getattr(__import__(self.module, fromlist=("_",)), self.kind)
        return found

    def named(self, word: str) -> bool:
        """Whether the word (in lower case) selects the pass."""
        return selects(word, self)


def selects(word: str, one: PassEntry | type[Pass]) -> bool:
    """Whether the word (in lower case) selects a pass: as its name, one of its codes, and, unless it is selected by
    name only, its group or "all"."""
    if word == one.name or (word in ("all", one.group) and not one.by_name):
        return True
    return code_key(word) in [code.lower() for code in one.codes]


_entries: tuple[PassEntry, ...] = ()


def entries() -> tuple[PassEntry, ...]:
    """Every pass, in running order."""
    global _entries
    if not _entries:
        _entries = tuple([PassEntry(*row) for row in derived("passes", rows, state_of_folder("passes", ".py"))])
    return _entries


def rows() -> list[Row]:
    """The index, made anew from the passes themselves: the fields of each entry. Imports every pass."""
    from dfopt.passes.base import registered

    return [
        (
            cls.name,
            cls.group,
            cls.tiers,
            cls.codes,
            cls.default,
            cls.triggers,
            cls.phase,
            cls.order,
            cls.strategy,
            cls.by_name,
            cls.level,
            cls.__module__,
            cls.__qualname__,
        )
        for cls in registered().values()
    ]
