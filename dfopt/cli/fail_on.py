"""Which findings of a file make `check` and `fix` exit with status 1."""

from __future__ import annotations

from dfopt.cli.errors import UsageError
from dfopt.cost import saving
from dfopt.record import Record
from dfopt.units import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.cli.options import Values
    from dfopt.cli.report.base import ReportItem
    from dfopt.workspace.config import ConfigLookup

# The kinds of `ReportItem` that each choice adds to those before it
_KINDS = {
    "never": (),
    "safe": ("fix",),
    "unsafe": ("available",),
    "suggestion": ("suggestion", "unused-suppression"),
}  # fmt: skip


class FailOn(Record):
    """kinds   of findings that count (`ReportItem.kind`)
    saving  bytes that those of one file must at least be known to save together; 0: any of them counts"""

    kinds: frozenset[str] = frozenset(_KINDS["safe"])
    saving: int = 0

    @property
    def only_fixes(self) -> bool:
        """Whether any fix counts, and nothing else: then no finding needs to be looked at."""
        return self == FailOn()

    def fails(self, items: Iterable[ReportItem], delivered: bool = False) -> bool:
        """Whether a file fails. `delivered`: its fixes were written."""
        counted = [item for item in items if item.kind in self.kinds and not (delivered and item.kind == "fix")]
        if not self.saving:
            return bool(counted)
        return saving(item.benefit for item in counted) >= self.saving


def fail_on_of(values: Values, lookup: ConfigLookup) -> FailOn:
    """What the command line says, else the configuration of the working directory. Raises UsageError."""
    config = lookup.directory(".")
    word = values.fail_on or config.get("fail-on", "safe")
    kinds: set[str] = set()
    for name in _KINDS:
        kinds.update(_KINDS[name])
        if name == word:
            break
    size = values.fail_on_saving or config.get("fail-on-saving", "0")
    try:
        return FailOn(frozenset(kinds), parse_size(size))
    except ValueError as failure:
        raise UsageError(f"--fail-on-saving: {failure}") from None
