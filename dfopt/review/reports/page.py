"""The report as one page of HTML that loads nothing: no script, no style, font or picture from elsewhere.

Everything that comes from an image or a file is text to the template, which escapes it (jinja2's autoescape); control
and direction marks are spelled out first, so that a name cannot disguise itself.
"""

from __future__ import annotations

import os
import re

import jinja2

from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.review.disclosure import masked, setting
from dfopt.review.reports.text import weight
from dfopt.review.reports.treemap import Cell, folders, layout
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.review.model import Review, Reviewed

_WIDTH, _HEIGHT = 1000.0, 420.0  # units of the larger treemap
_MOST = 400  # rows of a table; the page says how many are left out
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_HUNK = re.compile(r"(@@ -[0-9,]+ \+[0-9,]+ @@)(.*)")


class Side(Record):
    """One image on the page. cells: its treemap, `height` units high; widest: the bytes of its largest layer."""

    title: str
    key: str
    review: Review
    cells: list[Cell]
    height: float
    widest: int


def render(reviewed: Reviewed) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.dirname(__file__)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(human=human, percent=_percent, short=_short, weight=weight, steps=_steps)
    return environment.get_template("page.html.j2").render(_view(reviewed)) + "\n"


def _view(reviewed: Reviewed) -> dict[str, Any]:
    reviews = [review for review in (reviewed.before, reviewed.after) if review is not None]
    largest = max(max(review.ledger.total_bytes for review in reviews), 1)
    sides = []
    for number, review in enumerate(reviews):
        # One unit of area is as many bytes in both maps: the second one is as much lower as the image is smaller.
        height = max(40.0, _HEIGHT * review.ledger.total_bytes / largest)
        title = "" if len(reviews) == 1 else ("Before", "After")[number]
        cells = layout(folders(review.ledger), _WIDTH, height)
        widest = max((layer.size for report in reviews for layer in report.layers), default=0)
        sides.append(Side(title, ("a", "b")[number], review, cells, height, max(widest, 1)))
    changes = []
    if reviewed.comparison is not None:
        changes = sorted(reviewed.comparison.files, key=lambda report: (-weight(report), report.path))
    return {
        "sides": sides,
        "two": len(sides) == 2,
        "comparison": reviewed.comparison,
        "changes": changes,
        "rules": table("review_rules"),
        "most": _MOST,
        "diffs": [(side, _diff(side.review.source.diff)) for side in sides if side.review.source is not None
                  and side.review.source.diff],
        "width": _WIDTH,
        "setting": setting,
    }  # fmt: skip


def _diff(text: str) -> list[tuple[str, str, str]]:
    """(kind, line, title) of each line of a unified diff: kind is head, hunk, add, del, same."""
    rows: list[tuple[str, str, str]] = []
    old = new = 0
    for line in text.split("\n")[:-1]:
        hunk = _HUNK.match(line)
        if old <= 0 and new <= 0 and hunk is not None:
            old, new = (int(part.partition(",")[2] or 1) for part in line.split(" @@")[0].split(" ")[1:3])
            rows.append(("hunk", hunk[1], hunk[2].strip()))
        elif old <= 0 and new <= 0 and not line.startswith("\\"):
            rows.append(("head", line, ""))
        elif line.startswith("-"):
            old -= 1
            rows.append(("del", line, ""))
        elif line.startswith("+"):
            new -= 1
            rows.append(("add", line, ""))
        else:
            if not line.startswith("\\"):
                old, new = old - 1, new - 1
            rows.append(("same", line, ""))
    return [(kind, masked(line), title) for kind, line, title in rows]


def _finalize(value: object) -> object:
    """Texts that can be written and cannot play tricks; what the template has marked as markup stays as it is."""
    if type(value) is not str:
        return value
    return _UNSEEN.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if match[0] > "\xff" else f"\\x{ord(match[0]):02x}", value
    )


def _percent(value: float) -> str:
    return f"{value:.1%}" if value == value and value not in (float("inf"), float("-inf")) else "not a number"


def _short(digest: str) -> str:
    return digest[:19]


def _steps(text: str) -> str:
    """A history entry without what every entry begins with."""
    text = re.sub(r"^RUN (?:\|[0-9]+ .*?)?/bin/sh -c ", "RUN ", " ".join(text.split()))
    return text.removesuffix(" # buildkit") or "not told by the history"
