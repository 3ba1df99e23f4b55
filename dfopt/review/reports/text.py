"""text: what a person wants to know first, in tables that are cut short unless everything is asked for."""

from __future__ import annotations

from dfopt.image.errors import printable
from dfopt.review.disclosure import setting
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.image.compare import Comparison, FileChange
    from dfopt.review.model import Review, Reviewed

_ROWS = 12
_STEP = 70  # columns of an instruction
_COLORS = {"error": "31", "warning": "33", "note": "36"}


def render(reviewed: Reviewed, *, everything: bool, color: bool) -> str:
    rows = 1 << 30 if everything else _ROWS
    parts = [_image(reviewed.before, rows, color)]
    if reviewed.after is not None:
        parts.append(_image(reviewed.after, rows, color))
    if reviewed.comparison is not None:
        parts.append(_comparison(reviewed.comparison, rows))
    return "\n".join(parts)


def _image(review: Review, rows: int, color: bool) -> str:
    parts = [_head(review), _layers(review)]
    if review.source is not None:
        parts.append(_source(review))
    parts.append(_dead(review, rows))
    parts.append(_findings(review, rows, color))
    parts.append(_packages(review, rows))
    parts += [f"note: {note}\n" for note in review.notes]
    return "".join(part for part in parts if part)


def _head(review: Review) -> str:
    ledger, dive = review.ledger, review.dive
    lines = [
        f"{printable(review.name)}  {review.image.platform}  {review.image.digest or review.image.config_digest}",
        f"  {human(ledger.total_bytes)} in {len(review.layers)} layers ({human(review.stored)} stored), "
        f"{human(ledger.dead_bytes)} of it dead: efficiency {ledger.efficiency():.2%}",
        f"  by dive's rules: efficiency {dive.efficiency:.2%}, {human(dive.wasted_bytes)} wasted, "
        f"{_percent(dive.user_wasted)} of the user's bytes",
    ]
    for verdict in review.verdicts:
        lines.append(
            f"  .dive-ci {verdict.rule} {verdict.threshold}: {verdict.status.upper()} {verdict.message}".rstrip()
        )
    return "\n".join(lines) + "\n"


def _percent(value: float) -> str:
    return f"{value:.2%}" if value == value and value != float("inf") else str(value)


def _layers(review: Review) -> str:
    lined = any(layer.line for layer in review.layers)
    rows = []
    for layer in review.layers:
        step = " ".join(layer.step.split())
        if layer.base:
            step = f"(base) {step}".strip()
        cells = [str(layer.index), human(layer.size), human(layer.live), human(layer.dead), human(layer.stored)]
        if lined:
            cells.append(str(layer.line) if layer.line else "-")
        rows.append([*cells, _cut(step)])
    head = ["layer", "bytes", "live", "dead", "stored", *(["line"] if lined else []), "step"]
    return table("Layers", head, rows)


def _source(review: Review) -> str:
    source = review.source
    assert source is not None
    if source.problem:
        return f"\n{printable(source.name)}:{source.problem}\n"
    rows = []
    for line in source.lines:
        rows.append(
            [str(line.line), human(line.added), human(line.live), human(line.died), human(line.killed), _cut(line.text)]
        )
        for saving in line.savings:
            if saving.size and saving.line == line.line:
                tier = "" if saving.tier == "safe" else f" [{saving.tier}]"
                rows.append(["", "", "", "", "", f"  {saving.name}{tier} would save {human(saving.size)}"])
    text = table(f"Lines of {printable(source.name)}", ["line", "added", "live", "died", "killed", "instruction"], rows)
    total = sum(saving.size for saving in source.savings)
    if total:
        text += f"  predicted: dfopt's passes would save {human(total)}; see `dfopt fix {printable(source.name)}`\n"
    return text


def _dead(review: Review, rows: int) -> str:
    names = {layer.index: f"line {layer.line}" if layer.line else f"layer {layer.index}" for layer in review.layers}
    listed = [
        [human(group.size), str(group.files), group.kind, names[group.producer], names[group.killer], group.examples[0]]
        for group in review.dead[:rows]
    ]
    head = ["bytes", "files", "how", "stored by", "killed by", "for example"]
    return table("Dead bytes", head, listed, len(review.dead) - len(listed))


def _findings(review: Review, rows: int, color: bool) -> str:
    if not review.findings:
        return "\nNo findings.\n"
    lines = ["\nFindings\n"]
    for level in ("error", "warning", "note"):
        of_level = [finding for finding in review.findings if finding.level == level]
        listed = of_level if level == "error" else of_level[:rows]
        for finding in listed:
            place = (
                f"{printable(review.source.name)}:{finding.line}: "
                if review.source is not None and finding.line
                else ""
            )
            name = f"\x1b[{_COLORS[level]}m{level}\x1b[0m" if color else level
            lines.append(f"  {place}{name} [{finding.rule}] {printable(finding.message)}\n")
        if len(of_level) > len(listed):
            lines.append(f"  ... and {len(of_level) - len(listed)} more {level}s (--all lists them)\n")
    return "".join(lines)


def _packages(review: Review, rows: int) -> str:
    if not review.packages:
        return ""
    listed = [
        [
            package.manager,
            package.name,
            package.version,
            human(package.size),
            str(package.layer) if package.layer >= 0 else "-",
        ]
        for package in review.packages[:rows]
    ]
    total = sum(package.size for package in review.packages)
    title = f"Packages ({len(review.packages)}, {human(total)})"
    return table(title, ["manager", "name", "version", "bytes", "layer"], listed, len(review.packages) - len(listed))


def _comparison(comparison: Comparison, rows: int) -> str:
    before, after = comparison.before, comparison.after
    lines = ["\nFrom the first image to the second\n"]
    for name, size_before, size_after in (
        ("layer bytes", before.layer_bytes, after.layer_bytes), ("live", before.live, after.live),
        ("dead", before.dead, after.dead), ("stored", before.stored, after.stored),
    ):  # fmt: skip
        change = f" ({(size_after - size_before) / size_before:+.1%})" if size_before else ""
        lines.append(f"  {name}: {human(size_before)} -> {human(size_after)}{change}\n")
    lines.append(f"  layers: {before.layers} -> {after.layers}, {comparison.shared} shared\n")
    lines.append(f"  files: {before.files} -> {after.files}\n")
    if comparison.equal():
        lines.append("  a container sees no difference\n")
    for changed in comparison.config:
        old, new = setting(changed.key, changed.before), setting(changed.key, changed.after)
        lines.append(f"  config {printable(changed.key)}: {old} -> {new}\n")
    changes = sorted(comparison.files, key=lambda file: (-weight(file), file.path))
    listed = [
        [file.kind, ", ".join(file.fields) or "-", human(weight(file)), printable(file.path)] for file in changes[:rows]
    ]
    return "".join(lines) + table(
        f"Paths that differ ({len(changes)})", ["how", "in", "bytes", "path"], listed, len(changes) - len(listed)
    )


def weight(change: FileChange) -> int:
    """The bytes that a changed path is about: of the larger side."""
    return max((entry.size for entry in (change.before, change.after) if entry is not None and entry.kind == "file"),
               default=0)  # fmt: skip


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _STEP else text[: _STEP - 3] + "..."


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], more: int = 0) -> str:
    """A table with a heading; numbers stand to the right, the last column runs free. "" without rows."""
    if not rows:
        return ""
    rows = [[printable(cell) for cell in row] for row in rows]
    right = ("bytes", "live", "dead", "stored", "added", "died", "killed", "files", "layer", "line", "entry")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    lines = []
    for row in [head, *rows]:
        cells = [
            cell.rjust(width) if head[column] in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append(("  " + "  ".join([*cells, row[-1]])).rstrip())
    text = f"\n{title}\n" + "\n".join(lines) + "\n"
    return text + (f"  ... and {more} more (--all lists them)\n" if more > 0 else "")
