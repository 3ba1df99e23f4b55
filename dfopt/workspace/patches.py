"""How a result is shown as a patch: each hunk names its passes, and below the file stands what each fix does."""

from __future__ import annotations

from dfopt.edit import unified_diff
from dfopt.messages import printable
from dfopt.source import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.results import Applied, Result


def labels(result: Result) -> list[str]:
    """The title of each author of changes: the pass and what it did."""
    table = {fix.number: fix for fix in result.applied}
    titles: list[str] = []
    for number in range(max(table, default=-1) + 1):
        fix = table.get(number)
        if fix is None:
            titles.append("")
            continue
        titles.append(f"{fix.name}{_tier(fix)}: {printable(' '.join(fix.message.split()))}")
    return titles


def patch_of(result: Result, name: str) -> str:
    """A result as a unified diff, "" where nothing changed. Each hunk names its passes; below the file's last hunk, a
    line that begins with `#` says of each fix which line it is about, what it does and why. `git apply` and `patch`
    read no such lines."""
    if not result.changed:
        return ""
    fixes = {fix.number: fix for fix in result.applied}
    short = [
        f"{fixes[number].name}{_tier(fixes[number])}" if number in fixes else ""
        for number in range(max(fixes, default=-1) + 1)
    ]
    lines = LineIndex(result.source.text)
    notes = [
        f"# line {lines.line(fix.start) + 1}: {fix.name}: {printable(' '.join(fix.message.split()))}\n"
        for fix in sorted(result.applied, key=lambda fix: (fix.start, fix.number))
    ]
    diff = unified_diff(result.source.text, result.changes, patch_name(name), short)
    return diff + "".join(dict.fromkeys(notes)) if diff else ""


def _tier(fix: Applied) -> str:
    return "" if fix.tier == "safe" else f" [{fix.tier}]"


def patch_name(name: str) -> str:
    """The name of a file in a diff header, after `a/`: without the root directory."""
    return name.lstrip("/") or name
