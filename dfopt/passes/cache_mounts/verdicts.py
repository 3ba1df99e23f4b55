"""What a RUN's uses of a cache permit, and how the RUNs that share a cache come to one decision."""

from __future__ import annotations

from dfopt.cost import SOURCE, cache_bytes
from dfopt.findings import Benefit, Declares, Finding, Fix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dfopt.edit import Edit
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite


class MountVerdict:
    """Whether the RUN `step` can have mounts for the cache of `family`.

    reason    why it cannot; "" where it can
    opaque    a later step that might use apt's index: the fix is not safe
    paths     where the cache is; () where that is not known
    shipped   the bytes of the cache lie in a layer that is shipped: nothing cleans it up yet
    edits, rewrites   the fix
    """

    __slots__ = ("edits", "family", "opaque", "paths", "reason", "rewrites", "shipped", "step")

    def __init__(self, family: str, step: Step) -> None:
        self.family = family
        self.step = step
        self.reason = ""
        self.opaque: Step | None = None
        self.edits: tuple[Edit, ...] = ()
        self.rewrites: tuple[Rewrite, ...] = ()
        self.paths: Sequence[str] = ()
        self.shipped = False


def agree(verdicts: Sequence[MountVerdict]) -> None:
    """Makes the RUNs that use one cache decide alike: what one of them leaves in a mount, another that has none does
    not find. All get it, none does, or all are unsafe. A use whose cache is at an unknown place may use any."""
    refused = [verdict for verdict in verdicts if verdict.reason]
    unsafe = [verdict for verdict in verdicts if verdict.opaque is not None]
    for verdict in verdicts:
        against = next((other for other in refused if not other.paths or other.paths == verdict.paths), None)
        if against is not None and not verdict.reason:
            verdict.reason = f"line {against.step.node.line} uses the same cache, and cannot have the mount"
        if unsafe and verdict.opaque is None:
            verdict.opaque = unsafe[0].opaque


def finding(name: str, verdict: MountVerdict) -> Finding:
    """The finding of the pass `name` that a verdict comes to."""
    node = verdict.step.node
    if verdict.reason:
        message = f"{verdict.family}'s cache is not kept"
        return Finding(name, message, node.start, node.end, None, verdict.reason)
    message = f"keep {verdict.family}'s cache in a cache mount"
    if verdict.opaque is not None:
        message += f" (line {verdict.opaque.node.line} runs an opaque command, which might use the index)"
    tier = "safe" if verdict.opaque is None else "unsafe"
    declares = Declares(paths=tuple(_declared(verdict.paths)), caches=(verdict.family,))
    fix = Fix(verdict.edits, verdict.rewrites, tier, declares)
    return Finding(name, message, node.start, node.end, fix, benefit=_benefit(verdict))


def _benefit(verdict: MountVerdict) -> Benefit | None:
    """What the cleanup of the same cache takes off an image, where nothing cleans it up yet."""
    saved = cache_bytes(verdict.family)
    return Benefit(bytes=saved, source=SOURCE) if verdict.shipped and saved else None


def _declared(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from (path, path + "/**")
        above = path.rpartition("/")[0]
        if above.rpartition("/")[2].startswith("."):  # a directory of the home that only the cache called for
            yield above
