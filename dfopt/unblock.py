"""What a user can do about a refusal, where its pass does not say so itself."""

from __future__ import annotations

from dfopt.knowledge import table


def unblock_of(reason: str) -> str:
    """What ends a refusal for this reason, by the table; "" where nothing is known to."""
    for row in table("unblocks")["rows"]:
        if all(words in reason for words in row["words"]):
            return str(row["unblock"])
    return ""
