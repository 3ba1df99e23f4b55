"""Work that is counted, not timed: for tests of growth."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def counted(action: Callable[[], object]) -> int:
    """How many functions of Python run in an action."""
    count = 0

    def count_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count
