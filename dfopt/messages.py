"""Wording that several floors share: what was meant by a word that is not known; text that is safe to show."""

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


def printable(text: str) -> str:
    """`text` on one line, for a terminal: control characters, and bytes that are no text, as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(char) or (
        f"\\x{ord(char):02x}" if char < "\x80" else f"\\u{ord(char):04x}"
    )
