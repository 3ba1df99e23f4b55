"""What the fixes of a round take, so that no two meet."""

from __future__ import annotations

from bisect import bisect_right, insort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.findings import Fix
    from dfopt.rewrites.base import Claim


class Taken:
    """What the fixes of a round take so far: no other fix may share a character with their edits, touch an instruction
    that one claims whole, or edit the words of the same command."""

    __slots__ = ("commands", "partly", "spans", "whole")

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []  # of edits, in order; none overlap
        self.whole: set[int] = set()
        self.partly: set[int] = set()
        self.commands: set[tuple[int, int]] = set()

    def take(self, fix: Fix) -> bool:
        """Takes what a fix needs; False, and nothing is taken, where another fix has some of it."""
        claims = [rewrite.claim() for rewrite in fix.rewrites]
        if any(self._meets(edit.start, edit.end) for edit in fix.edits) or any(map(self._claimed, claims)):
            return False
        for edit in fix.edits:
            insort(self.spans, (edit.start, edit.end))
        for claim in claims:
            (self.whole if claim.whole else self.partly).update(claim.steps)
            if claim.command is not None:
                self.commands.add(claim.command)
        return True

    def _meets(self, start: int, end: int) -> bool:
        """Whether a span shares a character with a taken one, or meets it at an offset."""
        at = bisect_right(self.spans, (end, len(self.spans) and self.spans[-1][1]))
        return at > 0 and self.spans[at - 1][1] >= start

    def _claimed(self, claim: Claim) -> bool:
        if not self.whole.isdisjoint(claim.steps) or (claim.whole and not self.partly.isdisjoint(claim.steps)):
            return True
        return claim.command in self.commands
