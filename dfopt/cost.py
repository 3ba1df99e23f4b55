"""The cost model: what a fix brings, where its pass does not say so itself."""

from __future__ import annotations

from dfopt.findings import Benefit
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.findings import Finding

_SOURCE = "savings.toml"


def benefit_of(finding: Finding) -> Benefit | None:
    """What acting on a finding brings: measured where the pass knows, else estimated by the table of what fixes of the
    pass took off images; None where nothing is known, or nothing would be done."""
    if finding.benefit is not None:
        return finding.benefit
    if finding.fix is None and not finding.reason:
        return None
    saved: int | None = table("savings")["bytes"].get(finding.name)
    return None if saved is None else Benefit(bytes=saved, source=_SOURCE)


def saving(benefits: Iterable[Benefit | None]) -> int:
    """The bytes that fixes save together, as far as that is known."""
    return sum(benefit.bytes for benefit in benefits if benefit is not None)
