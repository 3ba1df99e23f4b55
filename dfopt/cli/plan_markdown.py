"""`dfopt plan --output-format markdown`: a plan as the comment of a pull or merge request."""

from __future__ import annotations

import re

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
    from collections.abc import Mapping, Sequence

    from dfopt.forecast import Forecast, ForecastStep, Shape

_LARGEST = 60_000  # characters: GitHub takes 65,536 in a comment
_MOST = 20  # obstacles


def comment(forecasts: Sequence[Forecast], diffs: Mapping[str, str], command: str) -> str:
    """The plan of all files: sums, then each file that something would change, with its diff folded, those that save
    most first. What does not fit into a comment is counted. `diffs`: file -> the diff of its best level; `command`:
    what to run next."""
    changed = [prediction for prediction in forecasts if any(level.fixes for level in prediction.levels)]
    changed.sort(key=lambda prediction: (-prediction.best, prediction.name))
    total = human(sum(prediction.best for prediction in forecasts))
    parts = [f"### dfopt: {total} less in {len(changed)} of {len(forecasts)} Dockerfiles\n"]
    if not changed:
        parts = ["### dfopt: nothing to do\n"]
    parts += _way(obstacles(forecasts)[:_MOST])
    owners = by_owner(forecasts)
    if owners:
        rows = [(_code(name), str(files), human(saved)) for name, files, saved in owners]
        parts.append(_table(("owner", "files", "saves"), rows))
    if command and changed:
        parts.append(f"Next: {_code(command)}\n")
    tail, size = parts[1:], sum(map(len, parts))
    parts = parts[:1]
    shown = 0
    for prediction in changed:
        section = _file(prediction, diffs.get(prediction.name, ""))
        if size + len(section) > _LARGEST:
            section = _file(prediction, "")
        if size + len(section) > _LARGEST:
            break
        parts.append(section)
        size += len(section)
        shown += 1
    if shown < len(changed):
        parts.append(f"{len(changed) - shown} more files are not listed here.\n")
    return "\n".join([*parts, *tail])


def _file(prediction: Forecast, diff: str) -> str:
    rows = [("now", "", *_cells(prediction.now), "")]
    rows += [
        (f"-O{level.level}", saves(level), *_cells(level.shape), rebuild_text(level.rebuild))
        for level in prediction.levels
    ]
    lines = [f"#### {_code(prediction.name)}\n"]
    lines.append(_table(("", "saves", "layers", "setuid", "user", "root", "rebuild"), rows))
    if prediction.candidates:
        lines.append(f"{note_on_search(prediction)}\n")
    if prediction.history is not None:
        lines.append(f"{_code(history_text(prediction.history))}\n")
    lines += [f"Built by {_code(build_text(build))}\n" for build in prediction.builds]
    listed: set[tuple[str, int, str]] = set()
    for level in prediction.levels:
        for step in level.fixes:
            if (step.name, step.line, step.message) not in listed:
                listed.add((step.name, step.line, step.message))
                lines.append(_step(level.level, step))
    if diff:
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", diff)), default=0))
        lines.append(f"\n<details><summary>diff</summary>\n\n{fence}diff\n{diff.rstrip()}\n{fence}\n\n</details>")
    return "\n".join(lines) + "\n"


def _step(level: int, step: ForecastStep) -> str:
    worth = f" {benefit_text(step.benefit)}" if step.benefit is not None else ""
    return f"- `-O{level}` line {step.line}, {step.name} ({step.tier}): {_code(step.message)}{worth}"


def _way(ranked: Sequence[tuple[tuple[str, str], int]]) -> list[str]:
    if not ranked:
        return []
    rows = [(str(number), name, _code(unblock)) for (name, unblock), number in ranked]
    table = _table(("refusals", "pass", "what unblocks it"), rows)
    return [f"<details><summary>In the way of more</summary>\n\n{table}\n</details>\n"]


def _cells(shape: Shape) -> tuple[str, ...]:
    layers, setuid, user, root = shape_texts(shape)
    return layers, setuid, _code(user), root


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def _code(text: str) -> str:
    """Text of others as a code span, in which nothing is markup or calls anybody; also within a table's cell."""
    text = printable(text).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall(r"`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
