"""Why something is not done: the one type of every refusal."""

from __future__ import annotations

import re


class Refusal(Exception):
    """A fix that a pass would make is not made, or may not be.

    reason   the fact that stands in the way, or that is unknown; a clause without a full stop
    unblock  what the user can do about it: a flag, a setting, a line to write; "" where nothing is known
    at       offset in the file of what the reason is about; None: the finding's own place
    """

    def __init__(self, reason: str, unblock: str = "", at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unblock = unblock
        self.at = at

    def copy(self) -> Refusal:
        """The same, to be kept, or raised after it was kept: what was raised holds the frames that it went through, and
        a frame that holds it in turn is freed, with its program, by the garbage collector alone."""
        return Refusal(self.reason, self.unblock, self.at)


def reason_class(reason: str) -> str:
    """A reason without what differs from file to file: line numbers, quoted text, names of images and files."""
    reason = re.sub(r"\blines? \d+(?:(?:, | and )\d+)*", "line N", reason)
    reason = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", '"…"', reason)
    return re.sub(
        r"(?<![\w.$`/-])[\w.$-]*[/$:][^\s`,;)]+|(?<![\w-])[\w-]+\.(?:sh|txt|json|xml|toml|lock|py|exe)\b", "X", reason
    )
