"""What a pass hands over: findings, their fixes, and what a fix may change in the image."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.rewrites.base import Rewrite


TIERS = ("safe", "unsafe", "suggestion")


class Declares(Record):
    """What a fix may change in the image that is built, for a program to read; layers' boundaries always may. What is
    not declared here and differs between the image before and the one after is a fault of the fix (`fix --verify`).

    paths     may come, go and change in any way: absolute patterns, `*` and `?` within one name, `**` for any number
              of names, `~` in front for any home directory
    caches    families of knowledge/package_managers.toml, whose indexes and caches are such paths
    modes     patterns of paths whose mode may change; `setid`: which may only lose setuid and setgid bits
    owners    patterns of paths whose owner may change
    settings  keys of the image's config that may change ("User", "Labels.maintainer"), `*` as in names of files
    files     "fewer": any path may go; "any": any may come, go and change, so that a smoke test alone can tell
    """

    paths: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    setid: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    files: str = ""


NOTHING = Declares()


class Fix(Record):
    """Text edits (spans of the file as the pass saw it) and, made independently, what they do to the program.

    `declares`: what this very fix does to the image, where that is less, or more, than its pass's `declares`.
    """

    edits: tuple[Edit, ...]
    rewrites: tuple[Rewrite, ...]
    tier: str
    declares: Declares | None = None


class Finding(Record):
    """Something that a pass saw at `start:end`.

    With `fix`: the message says what the fix does and why, in one line. Without: a suggestion, or, where `reason` is
    set, a refusal: the pass would have acted, but a fact stands against it or is not known.
    """

    name: str
    message: str
    start: int
    end: int
    fix: Fix | None = None
    reason: str = ""

    @property
    def tier(self) -> str:
        return self.fix.tier if self.fix is not None else "suggestion"
