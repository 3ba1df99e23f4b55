"""The forms in which a review is shown: text, json, sarif, and a page of HTML (page.py, which alone needs jinja2)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.review.model import Reviewed

FORMATS = ("text", "json", "sarif")


def render(format: str, reviewed: Reviewed, *, everything: bool = False, color: bool = False) -> str:
    """The report in one of FORMATS. everything: no table is cut short (text only)."""
    if format == "json":
        from dfopt.review.reports import json_

        return json_.render(reviewed)
    if format == "sarif":
        from dfopt.review.reports import sarif

        return sarif.render(reviewed)
    from dfopt.review.reports import text

    return text.render(reviewed, everything=everything, color=color)
