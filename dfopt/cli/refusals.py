"""Refusals of a run, by what unblocks them: for people, who act on a group and not on ten thousand lines."""

from __future__ import annotations

from dfopt.cli.out import printable
from dfopt.refusal import reason_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.cli.report.base import ReportItem

_REASONS = 3  # of a group that are listed
_NOTHING = "nothing is known to unblock these"


def refusal_rows(name: str, items: Iterable[ReportItem]) -> tuple[tuple[str, ...], ...]:
    """The rows of a file's refusals: place, pass, message, reason, what unblocks it."""
    return tuple(
        (f"{name}:{item.line}:{item.column}", item.name, item.message, item.reason, item.unblock)
        for item in items
        if item.kind == "refusal"
    )


class RefusalGroups:
    """Collects the refusals of a run; memory grows with their kinds, not with the files."""

    def __init__(self) -> None:
        self.files = 0
        self.first: tuple[tuple[str, ...], ...] = ()  # the rows of the first file that has any
        self.groups: dict[str, dict[tuple[str, str], list[str | int]]] = {}

    def add(self, rows: tuple[tuple[str, ...], ...]) -> None:
        """The refusals of one file, as `refusal_rows` makes them."""
        if not rows:
            return
        self.files += 1
        if self.files == 1:
            self.first = rows
        for place, name, _, reason, unblock in rows:
            reasons = self.groups.setdefault(unblock or _NOTHING, {})
            known = reasons.setdefault((name, reason_class(reason)), [place, 0])
            known[1] = int(known[1]) + 1

    def text(self) -> str:
        """One file: a line for each refusal. More: the groups, the largest first, each with its most frequent
        reasons and where the first of them is; what nothing unblocks comes last."""
        if self.files < 2:
            return "".join(
                f"{printable(place)}: {name}[refused] {printable(_sentence(message, reason, unblock))}\n"
                for place, name, message, reason, unblock in self.first
            )
        numbers = {group: sum(int(row[1]) for row in reasons.values()) for group, reasons in self.groups.items()}
        lines = [f"{sum(numbers.values())} refusals in {self.files} files, by what unblocks them:"]
        for group in sorted(numbers, key=lambda group: (group == _NOTHING, -numbers[group], group)):
            lines.append(f"{numbers[group]:7}  {printable(group)}")
            ranked = sorted(self.groups[group].items(), key=lambda item: (-int(item[1][1]), item[0]))
            for (name, reason), (place, number) in ranked[:_REASONS]:
                lines.append(f"{'':9}{number:5}  {name}: {printable(reason)} ({printable(str(place))})")
            rest = ranked[_REASONS:]
            if rest:
                names = ", ".join(sorted({name for (name, _), _ in rest}))
                lines.append(f"{'':9}{sum(int(row[1]) for _, row in rest):5}  for other reasons: {names}")
        return "\n".join(lines) + "\n"


def _sentence(message: str, reason: str, unblock: str) -> str:
    return f"{message}: {reason}" + (f"; {unblock}" if unblock else "")
