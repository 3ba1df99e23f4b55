"""The report of a campaign: text for a terminal, Markdown, JSON."""

from __future__ import annotations

from dfopt.cost import benefit_json
from dfopt.messages import printable
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from typing import Any

    from dfopt.campaign.model import FileResult, Totals

FORMATS = ("text", "json", "markdown")
_MOST = 15  # reasons and files that text and Markdown list


def shows(formats: Container[str], row: FileResult) -> bool:
    """Whether a report in one of these formats says anything of a file that the totals do not hold."""
    if "json" in formats:
        return True
    return row.state == "failed" or (row.state == "changed" and "markdown" in formats)


def render(format: str, totals: Totals, rows: Sequence[FileResult], applied: bool) -> str:
    """The report in one of FORMATS. `rows`: all files in order that it shows; `applied`: changes were delivered."""
    if format == "json":
        return _json(totals, rows)
    return _markdown(totals, rows, applied) if format == "markdown" else _text(totals, rows, applied)


def _head(totals: Totals, applied: bool) -> list[tuple[str, int]]:
    changed = totals.states["changed"]
    rows = [("changed" if applied else "would change", changed - (totals.left if applied else 0))]
    if applied and totals.left:
        rows.append(("left for the next run", totals.left))
    return [
        *rows,
        ("unchanged", totals.states["unchanged"]),
        ("refused", totals.states["refused"]),
        ("failed", totals.states["failed"]),
    ]


def _text(totals: Totals, rows: Sequence[FileResult], applied: bool) -> str:
    lines = [f"{totals.files} files"]
    lines += [f"  {number:6}  {name}" for name, number in _head(totals, applied)]
    if totals.fixes:
        lines.append("fixes")
        lines += [f"  {number:6}  {name}" for name, number in _frequent(totals.fixes)]
        if totals.saving:
            lines.append(f"predicted saving, all images together: {human(totals.saving)} ({_origin(totals)})")
    if totals.refusals:
        lines.append("refusals")
        for (name, reason), number in _frequent(totals.refusals)[:_MOST]:
            lines.append(f"  {number:6}  {name}: {reason} ({totals.examples[name, reason]})")
        lines += _more(len(totals.refusals))
    broken = [row for row in rows if row.state == "failed"]
    if broken:
        lines.append("failed")
        lines += [f"  {row.name}: {row.error}" for row in broken[:_MOST]]
        lines += _more(len(broken))
    return "\n".join(printable(line) for line in lines) + "\n"


def _markdown(totals: Totals, rows: Sequence[FileResult], applied: bool) -> str:
    lines = ["# dfopt campaign", "", "| files | |", "|---|---:|", f"| all | {totals.files} |"]
    lines += [f"| {name} | {number} |" for name, number in _head(totals, applied)]
    if totals.saving:
        lines += ["", f"Predicted saving, all images together: {human(totals.saving)} ({_origin(totals)})."]
    if totals.fixes:
        lines += ["", "## Fixes", "", "| pass | fixes |", "|---|---:|"]
        lines += [f"| {name} | {number} |" for name, number in _frequent(totals.fixes)]
    changed = [row for row in rows if row.state == "changed"]
    if changed:
        lines += ["", "## Files", "", "| file | passes | where |", "|---|---|---|"]
        for row in changed:
            names = ", ".join(dict.fromkeys(note.name for note in row.fixes))
            lines.append(f"| {_cell(row.name)} | {names} | {_cell(row.delivered)} |")
    if totals.refusals:
        lines += ["", "## Refusals", "", "| count | pass | reason | example |", "|---:|---|---|---|"]
        for (name, reason), number in _frequent(totals.refusals):
            lines.append(f"| {number} | {name} | {_cell(reason)} | {_cell(totals.examples[name, reason])} |")
    broken = [row for row in rows if row.state == "failed"]
    if broken:
        lines += ["", "## Failed", "", "| file | why |", "|---|---|"]
        lines += [f"| {_cell(row.name)} | {_cell(row.error)} |" for row in broken]
    return "\n".join(lines) + "\n"


def _json(totals: Totals, rows: Sequence[FileResult]) -> str:
    import json

    def notes(row: FileResult, key: str) -> list[dict[str, Any]]:
        word = "message" if key == "fixes" else "reason"
        return [
            {
                "pass": note.name, "tier": note.tier, "line": note.line, word: note.text,
                **({"benefit": benefit_json(note.benefit)} if key == "fixes" else {}),
            }
            for note in getattr(row, key)
        ]  # fmt: skip

    value = {
        "version": 1,
        "totals": {
            **totals.states,
            "files": totals.files,
            "left": totals.left,
            "fixes": totals.fixes,
            "available": totals.available,
            "suggestions": totals.suggestions,
            "predicted_saving": totals.saving,
            "measured_saving": totals.benefit.measured,
            "fixes_of_unknown_saving": totals.benefit.unknown,
        },
        "refusals": [
            {"pass": name, "reason": reason, "count": number, "example": totals.examples[name, reason]}
            for (name, reason), number in _frequent(totals.refusals)
        ],
        "files": [
            {
                "name": row.name,
                "state": row.state,
                "fixes": notes(row, "fixes"),
                "refusals": notes(row, "refusals"),
                "error": row.error or None,
                "delivered": row.delivered or None,
                "predicted_saving": row.saving,
            }
            for row in rows
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _origin(totals: Totals) -> str:
    """Where the figure of the predicted saving comes from."""
    benefit = totals.benefit
    if not benefit.measured:
        origin = "estimated"
    else:
        origin = "measured" if not benefit.estimated else f"{human(benefit.measured)} of it measured, else estimated"
    return origin + (f"; of {benefit.unknown} fixes nothing is known" if benefit.unknown else "")


def _frequent(counts: dict[Any, int]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _more(number: int) -> list[str]:
    return [f"  and {number - _MOST} more"] if number > _MOST else []


def _cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return "".join("\\" + char if char in "\\|`*_<>[]" else char for char in printable(text))
