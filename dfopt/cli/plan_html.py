"""The page of `dfopt plan --html`: one file, no script, nothing fetched."""

from __future__ import annotations

from html import escape

from dfopt.cli.plan_figures import (
    build_text,
    by_owner,
    history_text,
    note_on_search,
    obstacles,
    rebuild_text,
    saves,
    shape_texts,
)
from dfopt.cost import benefit_text
from dfopt.messages import printable
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.forecast import Forecast, ForecastStep

_MOST = 20  # files of the list of what saves most, and obstacles
_DETAILED = 200  # files whose fixes are listed, those that save most first
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #8884; font-weight: 600; } tr + tr td { border-top: 1px solid #8883; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.path { overflow-wrap: anywhere; } details { margin: .4rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
.scale { width: 14rem; margin-top: .35rem; }
.bar { background: #2f81f7; height: .7rem; border-radius: 2px; min-width: 1px; }
code { background: #8882; padding: .1rem .3rem; border-radius: 3px; }
.tier { color: #9a6700; } .muted { color: #6e7781; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } .tier { color: #d29922; } }
"""


def page(forecasts: Sequence[Forecast], command: str) -> str:
    """The plan of all files as HTML. `command`: what to run next."""
    ranked = sorted(forecasts, key=lambda prediction: (-prediction.best, prediction.name))
    total = sum(prediction.best for prediction in forecasts)
    parts = [
        "<!doctype html>\n<html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1"><title>dfopt plan</title>',
        f"<style>{_STYLE}</style>\n<h1>dfopt plan</h1>\n",
        f"<p>{len(forecasts)} file{'' if len(forecasts) == 1 else 's'}; the best level of each saves about "
        f"<b>{human(total)}</b> together.",
        f" Next: <code>{_text(command)}</code></p>\n" if command else "</p>\n",
        "<h2>By level</h2>\n",
        _table(("", "saves#", "files changed#", "fixes#", "rebuilds shorter by#"), map(_level_row, _levels(forecasts))),
    ]
    if len(forecasts) > 1:
        parts += ["<h2>What saves most</h2>\n", _most(ranked)]
    owners = [(_text(name), str(files), human(saved)) for name, files, saved in by_owner(forecasts)]
    if owners:
        parts += ["<h2>By owner</h2>\n", _table(("owner", "files#", "saves#"), owners)]
    ways = [(str(number), _text(name), _text(unblock)) for (name, unblock), number in obstacles(forecasts)[:_MOST]]
    if ways:
        parts += ["<h2>In the way of more</h2>\n", _table(("refusals#", "pass", "what unblocks it"), ways)]
    parts.append("<h2>Files</h2>\n")
    parts += [_file(prediction, len(forecasts) == 1) for prediction in ranked[:_DETAILED]]
    if len(ranked) > _DETAILED:
        parts.append(f"<p class=muted>and {len(ranked) - _DETAILED} more files that save less</p>\n")
    return "".join(parts)


def _levels(forecasts: Sequence[Forecast]) -> list[tuple[int, int, int, int, float]]:
    """Of each level: its number, bytes, files changed, fixes, seconds of rebuilds."""
    rows: dict[int, list[float]] = {}
    for prediction in forecasts:
        for level in prediction.levels:
            row = rows.setdefault(level.level, [0, 0, 0, 0])
            for index, value in enumerate((level.bytes, bool(level.fixes), len(level.fixes), level.rebuild)):
                row[index] += value
    return [(number, int(row[0]), int(row[1]), int(row[2]), row[3]) for number, row in sorted(rows.items())]


def _level_row(row: tuple[int, int, int, int, float]) -> tuple[str, ...]:
    number, saved, files, fixes, seconds = row
    return f"<code>-O{number}</code>", human(saved), str(files), str(fixes), f"{seconds:.0f} s" if seconds else ""


def _most(ranked: Sequence[Forecast]) -> str:
    shown = [prediction for prediction in ranked if prediction.best > 0][:_MOST]
    rows = [
        (
            human(prediction.best),
            f'<div class=scale><div class=bar style="width:{100 * prediction.best / shown[0].best:.1f}%"></div></div>',
            _text(prediction.name),
            _text(prediction.owner),
        )
        for prediction in shown
    ]
    return _table(("saves#", "", "file", "owner"), rows) if rows else "<p>Nothing is known to save bytes.</p>\n"


def _file(prediction: Forecast, opened: bool) -> str:
    rows = [("now", "", *map(_text, shape_texts(prediction.now)), "")]
    for level in prediction.levels:
        cells = *map(_text, shape_texts(level.shape)), rebuild_text(level.rebuild)
        rows.append((f"<code>-O{level.level}</code>", saves(level), *cells))
    parts = [
        f"<details{' open' if opened else ''}><summary>{_text(prediction.name)}",
        f" <span class=muted>{human(prediction.best)}</span></summary>\n",
        _table(("", "saves#", "layers#", "setuid files#", "user", "runs as root", "rebuild#"), rows),
    ]
    if prediction.candidates:
        parts.append(f"<p class=muted>{_text(note_on_search(prediction))}</p>\n")
    if prediction.history is not None:
        parts.append(f"<p>{_text(history_text(prediction.history))}</p>\n")
    if prediction.builds:
        parts += [
            "<p>Built by:</p>\n<ul>\n",
            *[f"<li>{_text(build_text(build))}\n" for build in prediction.builds],
            "</ul>\n",
        ]
    steps = {(step.name, step.line): step for level in prediction.levels for step in level.fixes}
    if steps:
        parts.append(_table(("line#", "pass", "what it does", "brings"), map(_step, steps.values())))
    if prediction.refusals:
        parts.append(_table(("line#", "left alone", "why", "what unblocks it"), map(_refusal, prediction.refusals)))
    return "".join([*parts, "</details>\n"])


def _step(step: ForecastStep) -> tuple[str, ...]:
    name = _text(step.name) + (f" <span class=tier>{step.tier}</span>" if step.tier != "safe" else "")
    return str(step.line), name, _text(step.message), _text(benefit_text(step.benefit))


def _refusal(step: ForecastStep) -> tuple[str, ...]:
    return str(step.line), _text(step.name), _text(f"{step.message}: {step.reason}"), _text(step.unblock)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML; a column whose head ends with "#" holds numbers."""
    kinds = [" class=n" if name.endswith("#") else "" for name in head]
    lines = ["<table><tr>"]
    lines += [f"<th{kind}>{name.rstrip('#')}" for kind, name in zip(kinds, head, strict=True)]
    for row in rows:
        lines += ["\n<tr>", *[f"<td{kind}>{cell}" for kind, cell in zip(kinds, row, strict=True)]]
    return "".join([*lines, "\n</table>\n"])


def _text(text: str) -> str:
    """A file's text for HTML: nothing in it is markup, and control characters are escapes."""
    return escape(printable(text))
