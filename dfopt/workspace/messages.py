"""Wording shared by errors: what was meant, and what broke."""

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


def internal(failure: BaseException) -> str:
    """One line for a defect of dfopt itself: what was raised, and where."""
    where = ""
    trace = failure.__traceback__
    while trace is not None:
        _, found, path = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/dfopt/")
        if found:
            where = f" at dfopt/{path}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = " ".join(str(failure).split())[:200]
    return f"internal error: {type(failure).__name__}{f': {text}' if text else ''}{where}; please report it"
