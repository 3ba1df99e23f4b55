"""Wording that several floors share: what was meant by a word that is not known."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where a known word is near, else nothing."""
    from difflib import get_close_matches

    table = {item.lower(): item for item in known}
    near = get_close_matches(word.lower(), table, n=1, cutoff=0.65)
    return f'; did you mean "{table[near[0]]}"?' if near else ""
