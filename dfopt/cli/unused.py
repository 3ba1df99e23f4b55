"""Suppression comments that suppress nothing."""

from __future__ import annotations

from dfopt.messages import suggestion
from dfopt.workspace.selection import known, matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.pass_selection import Options
    from dfopt.results import Result


def unused_suppressions(result: Result, options: Options) -> list[tuple[int, int, str]]:
    """Start, end and message of each comment that suppressed nothing; comments that name a pass which did not run are
    left out."""
    unused: list[tuple[int, int, str]] = []
    for comment in result.suppressions:
        if comment.used:
            continue
        unknown = [name for name in comment.names if name.lower() not in known()]
        if unknown:
            hint = suggestion(unknown[0], known().values())
            message = f'"{unknown[0]}" is not a pass, group or code{hint}'
        elif _all_ran(comment.names, options):
            message = f"nothing to suppress for {', '.join(comment.names)}: remove this comment"
        else:
            continue
        unused.append((comment.start, comment.end, message))
    return unused


def _all_ran(names: tuple[str, ...], options: Options) -> bool:
    """Whether every pass that the names select ran (of a group: those that run by default)."""
    from dfopt.pass_selection import chosen

    ran = {entry.name for entry in chosen(options)}
    return all(cls.name in ran for name in names for cls in matching(name) if cls.default or cls.name == name)
