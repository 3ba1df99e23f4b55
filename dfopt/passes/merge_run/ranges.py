"""Which of neighbouring RUNs become one: how far a chain can go, and which reasons to join belong together."""

from __future__ import annotations

from dfopt.editing.run_joining import check_joinable, check_list
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.merge_run.reasons import Reason


def reach(program: Program, group: Sequence[Step], first: int, last: int) -> tuple[int, Refusal | None]:
    """How far a chain that begins at `first` can go, and what stops it there."""
    stop = first
    refusal: Refusal | None = None
    for position in range(first, last + 1):
        for end in (True, False):  # the end of the chain; a part that others follow
            try:
                check_joinable(program, group[position], group[first], last=end)
            except Refusal as error:
                refusal = error.copy()
                if not end:
                    return stop, refusal
            else:
                stop = position if end else stop
    return stop, refusal


def overlapping(gains: list[Reason]) -> Iterator[list[Reason]]:
    """Reasons, those together whose steps overlap, by their first step."""
    joint: list[Reason] = []
    last = 0
    for reason in sorted(gains, key=lambda reason: (reason.first, reason.last)):
        if joint and reason.first > last:
            yield joint
            joint = []
        last = max(last, reason.last) if joint else reason.last
        joint.append(reason)
    if joint:
        yield joint


def can_be_list(program: Program, steps: Sequence[Step]) -> bool:
    """Whether steps of which some are under `set -e` can be one RUN as a list."""
    try:
        check_list(program, steps)
    except Refusal:
        return False
    return True
