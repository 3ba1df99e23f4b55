"""Wording of errors: what broke."""

from __future__ import annotations


def internal(failure: BaseException) -> str:
    """One line for a defect of dfopt itself: what was raised, and where."""
    where = ""
    trace = failure.__traceback__
    while trace is not None:
        _, separator, path = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/dfopt/")
        if separator:
            where = f" at dfopt/{path}:{trace.tb_lineno}"
        trace = trace.tb_next
    text = " ".join(str(failure).split())[:200]
    return f"internal error: {type(failure).__name__}{f': {text}' if text else ''}{where}; please report it"
