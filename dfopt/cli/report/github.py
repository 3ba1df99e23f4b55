"""github: workflow commands, which GitHub Actions shows as annotations.

Escapes as in the runner's own toolkit: %, CR and LF in the message; in a property also ":" and ",". Control characters
are told as everywhere.
"""

from __future__ import annotations

from dfopt.cli.report.base import FileReport, Reporter, clean
from dfopt.cost import benefit_text
from dfopt.messages import printable

_LEVELS = {"fix": "warning", "available": "warning", "suggestion": "notice", "refusal": "notice"}


class GitHub(Reporter):
    def file(self, report: FileReport) -> str:
        lines: list[str] = []
        failure = report.failure
        if failure:
            place = f",line={failure.line},col={failure.column}" if failure.line else ""
            lines.append(f"::error file={_property(report.name)}{place},title=dfopt::{_message(failure.message)}\n")
        for item in report.items:
            level = _LEVELS.get(item.kind, "notice")
            # GitHub accepts columns only for places within one line
            end = f",endLine={item.end_line}"
            if item.end_line == item.line:
                end = f",col={item.column},endColumn={item.end_column}"
            worth = benefit_text(item.benefit)
            title = _property(f"dfopt {item.name}[{item.label}]")
            lines.append(
                f"::{level} file={_property(report.name)},line={item.line}{end},title={title}"
                f"::{_message(item.full_message)}{f' ({worth})' if worth else ''}\n"
            )
        return "".join(lines)


def _message(text: str) -> str:
    lines = [line.split("\r") for line in clean(text).replace("%", "%25").split("\n")]
    return "%0A".join(["%0D".join([printable(piece) for piece in pieces]) for pieces in lines])


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
