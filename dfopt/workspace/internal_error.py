"""Wording of errors: what broke."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def internal(failure: BaseException) -> str:
    """One line for a defect of dfopt itself: what was raised, and where."""
    where = ""
    for file, line in _frames(failure):
        _, separator, path = file.rpartition("/dfopt/")
        if separator:
            where = f" at dfopt/{path}:{line}"
    text = " ".join(str(failure).split())[:200]
    return f"internal error: {type(failure).__name__}{f': {text}' if text else ''}{where}; please report it"


def is_raised_in(failure: BaseException, package: str, *, last: bool = False) -> bool:
    """Whether it was raised in code of a package, or in what that called; `last`: in code of the package itself."""
    files = [file for file, _ in _frames(failure)]
    return any(f"/{package}/" in file for file in (files[-1:] if last else files))


def _frames(failure: BaseException) -> Iterator[tuple[str, int]]:
    """The files (with forward slashes) and lines that it came through, the outermost first."""
    trace = failure.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename.replace("\\", "/"), trace.tb_lineno
        trace = trace.tb_next
