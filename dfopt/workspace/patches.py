"""How a result is shown as a patch: each hunk names its passes, and below the file stands what each fix does."""

from __future__ import annotations

from dfopt.cost import written_text
from dfopt.edit import unified_diff
from dfopt.messages import printable
from dfopt.source import LineIndex
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.results import Applied, Result


def labels(result: Result) -> list[str]:
    """The title of each author of changes: the pass and what it did."""
    return _by_author(result, lambda fix: f"{_name(fix)}: {_message(fix)}")


def patch_of(result: Result, name: str) -> str:
    """A result as a unified diff, "" where nothing changed. Each hunk names its passes; below the file's last hunk, a
    line that begins with `#` says of each fix which line it is about, what it does and why, and what a profile measured
    there. `git apply` and `patch` read no such lines."""
    if not result.changed:
        return ""
    lines = LineIndex(result.source.text)
    notes = [
        f"# line {lines.line(fix.start) + 1}: {fix.name}: {_message(fix)}{_measured(fix)}\n"
        for fix in sorted(result.applied, key=lambda fix: (fix.start, fix.number))
    ]
    diff = unified_diff(result.source.text, result.changes, patch_name(name), _by_author(result, _name))
    return diff + "".join(dict.fromkeys(notes)) if diff else ""


def _by_author(result: Result, title: Callable[[Applied], str]) -> list[str]:
    """The title of each author number; "" where a number has no fix."""
    fixes = {fix.number: fix for fix in result.applied}
    return [title(fixes[number]) if number in fixes else "" for number in range(max(fixes, default=-1) + 1)]


def _name(fix: Applied) -> str:
    return fix.name if fix.tier == "safe" else f"{fix.name} [{fix.tier}]"


def _message(fix: Applied) -> str:
    return printable(" ".join(fix.message.split()))


def _measured(fix: Applied) -> str:
    """What its lines wrote, and what it saves of that."""
    written = written_text(fix.benefit)
    if not written or fix.benefit is None:
        return ""
    saved = f", {human(fix.benefit.bytes)} less" if fix.benefit.origin == "measured" and fix.benefit.bytes > 0 else ""
    return f" (measured: {written}{saved})"


def patch_name(name: str) -> str:
    """The name of a file in a diff header, after `a/`: without the root directory."""
    return name.lstrip("/") or name
