"""The cost model: what a fix brings, where its pass does not say so itself."""

from __future__ import annotations

import re

from dfopt.findings import Benefit
from dfopt.knowledge import table
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.findings import Finding

SOURCE = "savings.toml"


def benefit_of(finding: Finding) -> Benefit | None:
    """What acting on a finding brings: measured where the pass knows, else estimated by the table of what fixes of the
    pass took off images, and of what they mend; None where nothing is known, or nothing would be done."""
    if finding.benefit is not None:
        return finding.benefit
    if finding.fix is None and not finding.reason:
        return None
    saved, mended = bytes_by_table(finding.name), mends(finding.name)
    return Benefit(bytes=saved, source=SOURCE, mends=mended) if saved or mended else None


def bytes_by_table(name: str) -> int:
    """The bytes that a fix of a pass typically takes off an image; 0 where the table does not know it."""
    saved: int = table("savings")["bytes"].get(name, 0)
    return saved


def cache_bytes(family: str) -> int:
    """The bytes of the index or cache of a family of package managers, as its cleanup takes them off an image."""
    return bytes_by_table(f"{family}-cleanup") or bytes_by_table(f"{family}-no-cache")


def mends(name: str) -> str:
    """The wrong result that fixes of a pass mend, as a noun; "" where they mend none."""
    mended: str = table("savings")["mends"].get(name, "")
    return mended


def rebuild_benefit(commands: str) -> Benefit | None:
    """What a rebuild after a changed source takes less where the layers of these commands come out of the cache: by the
    table of what was measured with the same programs; None where it has none of them."""
    rows = {**table("savings")["rebuild-estimates"], **table("savings")["rebuild"]}
    measured = {command.split()[0]: times for command, times in rows.items()}
    programs = dict.fromkeys(word.rstrip("0123456789.") for word in re.findall(r"[\w.-]+", commands))  # pip3 is pip
    seconds = [measured[program] for program in programs if program in measured]
    if not seconds:
        return None
    return Benefit(rebuild=round(sum(before - after for before, after in seconds), 1), source=SOURCE)


def saving(benefits: Iterable[Benefit | None]) -> int:
    """The bytes that fixes save together, as far as that is known."""
    return sum(benefit.bytes for benefit in benefits if benefit is not None)


def benefit_json(benefit: Benefit | None) -> dict[str, object] | None:
    """A benefit for JSON and SARIF: `bytes`, `layers`, `rebuild_seconds`, `setuid`, `root`, `origin`, `source`,
    `mends`; where a profile has them, `line_bytes` and `line_dead_bytes`."""
    if benefit is None:
        return None
    lines = {"line_bytes": benefit.wrote, "line_dead_bytes": benefit.dead} if benefit.wrote is not None else {}
    return {
        "bytes": benefit.bytes, "layers": benefit.layers, "rebuild_seconds": benefit.rebuild,
        "setuid": benefit.setuid, "root": benefit.root, "origin": benefit.origin, "source": benefit.source,
        "mends": benefit.mends, **lines,
    }  # fmt: skip


def benefit_text(benefit: Benefit | None) -> str:
    """A benefit in words, "about" where it is estimated: `about 210 MB less, 3 layers fewer`; "" where there is
    none."""
    if benefit is None:
        return ""
    about = "" if benefit.origin == "measured" else "about "
    parts: list[str] = []
    if benefit.bytes:
        parts.append(f"{about}{human(abs(benefit.bytes))} {'less' if benefit.bytes > 0 else 'more'}")
    if benefit.layers:
        layers = f"{abs(benefit.layers)} layer{'' if abs(benefit.layers) == 1 else 's'}"
        parts.append(f"{layers} {'fewer' if benefit.layers > 0 else 'more'}")
    if benefit.rebuild:
        seconds = f"{abs(benefit.rebuild):.{0 if abs(benefit.rebuild) >= 10 else 1}f} s"
        parts.append(f"rebuilds {about}{seconds} {'shorter' if benefit.rebuild > 0 else 'longer'}")
    if benefit.setuid:
        parts.append(f"{benefit.setuid} setuid file{'' if benefit.setuid == 1 else 's'} fewer")
    if benefit.root:
        parts.append("no longer root")
    if benefit.mends:
        parts.append(f"mends {benefit.mends}")
    if benefit.wrote is not None:
        parts.append(f"wrote {written_text(benefit)}")
    return ", ".join(parts)


def written_text(benefit: Benefit | None) -> str:
    """What the lines of a finding wrote, as a profile has it: `38 MB, 21 MB dead`; "" where none does."""
    if benefit is None or benefit.wrote is None:
        return ""
    return f"{human(benefit.wrote)}, {human(benefit.dead)} dead" if benefit.dead else human(benefit.wrote)


class Total:
    """The benefits of several fixes together, by origin."""

    def __init__(self, benefits: Iterable[Benefit | None] = ()) -> None:
        self.measured = self.estimated = self.layers = self.unknown = 0
        for benefit in benefits:
            self.add(benefit)

    def add(self, benefit: Benefit | None) -> None:
        if benefit is None or not benefit.known:
            self.unknown += 1
            return
        self.layers += benefit.layers
        if benefit.origin == "measured":
            self.measured += benefit.bytes
        else:
            self.estimated += benefit.bytes

    @property
    def bytes(self) -> int:
        return self.measured + self.estimated


def by_saving(findings: Iterable[Finding], cleaned: int = 0) -> list[Finding]:
    """Findings, those that save most first: where two would change the same stage, that one does. One that saves no
    more than `cleaned` bytes less, which later passes take off anyway, goes first where it adds fewer lines: another
    base, rather than a second stage on that base."""
    rows = [(saving((benefit_of(finding),)), _added_lines(finding), finding) for finding in findings]
    found: list[tuple[int, int, Finding]] = []
    for saved, lines, finding in sorted(rows, key=lambda row: -row[0]):
        at = len(found)
        while cleaned and at and found[at - 1][1] > lines and found[at - 1][0] - cleaned <= saved:
            at -= 1
        found.insert(at, (saved, lines, finding))
    return [finding for _, _, finding in found]


def _added_lines(finding: Finding) -> int:
    edits = finding.fix.edits if finding.fix is not None else ()
    return sum(edit.text.count("\n") for edit in edits)
