"""How a result is shown as a patch: the name in its header, and the title of each author of changes."""

from __future__ import annotations

from dfopt.messages import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.results import Result


def labels(result: Result) -> list[str]:
    """The title of each author of changes: the pass and what it did."""
    table = {fix.number: fix for fix in result.applied}
    titles: list[str] = []
    for number in range(max(table, default=-1) + 1):
        fix = table.get(number)
        if fix is None:
            titles.append("")
            continue
        tier = "" if fix.tier == "safe" else f" [{fix.tier}]"
        titles.append(f"{fix.name}{tier}: {printable(' '.join(fix.message.split()))}")
    return titles


def patch_name(name: str) -> str:
    """The name of a file in a diff header, behind `a/`: without the root directory."""
    return name.lstrip("/") or name
