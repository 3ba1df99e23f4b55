"""What a pass hands over: findings, their fixes, and what a fix may change in the image."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.refusal import Refusal
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


class Benefit(Record):
    """What a fix brings, or would bring, to the image that is shipped.

    bytes    that it gets smaller by (negative: larger)
    layers   that it has fewer
    rebuild  seconds that a build takes less when a source file changed
    setuid   files with a setuid or setgid bit that it has fewer
    root     whether it no longer runs as root
    origin   "measured" (a profile, a lock file, an image at hand) or "estimated" (a table)
    source   what says so: "savings.toml"
    mends    the wrong result that it mends, as a noun; "" where it changes none
    wrote    bytes that the lines of the finding wrote into their layers, as a profile has them; None: no profile does
    dead     of these, the bytes that died in a later layer
    """

    bytes: int = 0
    layers: int = 0
    rebuild: float = 0.0
    setuid: int = 0
    root: bool = False
    origin: str = "estimated"
    source: str = ""
    mends: str = ""
    wrote: int | None = None
    dead: int = 0

    @property
    def known(self) -> bool:
        """Whether it says what the fix brings, and not alone what its lines wrote."""
        brings = self.bytes or self.layers or self.rebuild or self.setuid or self.root or self.mends
        return bool(brings) or self.origin == "measured"


class Finding(Record):
    """Something that a pass saw at `start:end`.

    With `fix`: the message says what the fix does and why, in one line. Without: a suggestion, or, where `reason` is
    set, a refusal: the pass would have acted, but a precondition fails or is not known.

    unblock  of a refusal: what the user can do about it, as `Refusal.unblock`
    benefit  of a fix; of a refusal or suggestion, what acting would bring; None: what the cost model says of the pass
    """

    name: str
    message: str
    start: int
    end: int
    fix: Fix | None = None
    reason: str = ""
    unblock: str = ""
    benefit: Benefit | None = None

    @property
    def tier(self) -> str:
        return self.fix.tier if self.fix is not None else "suggestion"


def refused(name: str, message: str, start: int, end: int, refusal: Refusal) -> Finding:
    """The finding of a pass that refuses to act at `start:end`."""
    return Finding(name, message, start, end, None, refusal.reason, refusal.unblock)
