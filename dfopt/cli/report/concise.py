"""concise: one line for each finding, `file:line:column: name[tier] message`.

Errors of files are not findings: this format reports them only on standard error.
"""

from __future__ import annotations

from dfopt.cli import style
from dfopt.cli.out import printable
from dfopt.cli.report.base import FileReport, Reporter, ReportItem
from dfopt.cost import benefit_text
from dfopt.messages import printable_lines


class Concise(Reporter):
    def __init__(self, color: bool = False) -> None:
        self.color = color

    def file(self, report: FileReport) -> str:
        return printable_lines("".join([self.line(report, item) + "\n" for item in report.items]), self.color)

    def line(self, report: FileReport, item: ReportItem) -> str:
        """One finding, without a newline."""
        place = f"{printable(report.name)}:{item.line}:{item.column}:"
        name = style.paint(f"{item.name}[{item.label}]", style.TIERS.get(item.label, ""), self.color)
        worth = benefit_text(item.benefit)
        return f"{place} {name} {printable(item.full_message)}{f' ({worth})' if worth else ''}"


def failure_line(report: FileReport) -> str:
    """`file:line:column: error: message` with a newline; without line and column if there is no place."""
    failure = report.failure
    if failure is None:
        return ""
    place = f":{failure.line}:{failure.column}" if failure.line else ""
    return f"{printable(report.name)}{place}: error: {printable(failure.message)}\n"
