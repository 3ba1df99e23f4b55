"""sarif: SARIF 2.1.0 (OASIS standard, March 2020), one run.

Each pass is a rule: its id is the pass's name, its tags are the group and the codes of other tools that it answers.
A result's fix holds the edits of its finding alone. What it cannot be applied apart from is named in the description of
the fix, and in the property `together_with` (see `json_`).
"""

from __future__ import annotations

import inspect
import json

from dfopt import sarif
from dfopt.cli.report.base import UNUSED, FileReport, Reporter, ReportItem, clean, position, together_json
from dfopt.cost import benefit_json
from dfopt.documentation import address
from dfopt.messages import json_text
from dfopt.source import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LEVELS = {"fix": "warning", "available": "warning", "suggestion": "note", UNUSED: "note", "refusal": "none"}
SYNTAX = "syntax-error"


class Sarif(Reporter):
    separator = ",\n"

    def __init__(self, documentation: str = "") -> None:
        self.documentation = documentation

    def head(self) -> str:
        from dfopt.version import version

        tool = json.dumps(sarif.tool("dfopt", version(), _rules(self.documentation)))
        return (
            f'{{"$schema": "{sarif.SCHEMA}", "version": "{sarif.VERSION}", "runs": [{{"tool": {tool}, '
            f'"columnKind": "{sarif.COLUMNS}", "newlineSequences": ["\\n"], "results": [\n'
        )

    def file(self, report: FileReport) -> str:
        results = [_failure(report)] if report.failure else []
        results += [_result(report, item) for item in report.items]
        return ",\n".join(json_text(result) for result in results)

    def tail(self, totals: Mapping[str, int]) -> str:
        succeeded = json.dumps(not totals.get("errors"))
        return f'\n], "invocations": [{{"executionSuccessful": {succeeded}}}]}}]}}\n'


def _rules(documentation: str) -> list[dict[str, Any]]:
    from dfopt.passes.base import registered

    rules = [
        _rule(SYNTAX, "The file is no Dockerfile that BuildKit would take.", "", ("correct",), ""),
        _rule(UNUSED, "A suppression comment that holds nothing back.", "", ("modernize",), ""),
    ]
    for name, cls in registered().items():
        text = inspect.cleandoc(cls.__doc__ or name)
        page = address(documentation, name)
        rules.append(_rule(name, text.split("\n\n")[0].replace("\n", " "), text, (cls.group, *cls.codes), page))
    return rules


def _rule(name: str, short: str, full: str, tags: tuple[str, ...], page: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name, "shortDescription": {"text": short}}
    if full:
        rule["help"] = {"text": full, "markdown": full}
    if page:
        rule["helpUri"] = page
    rule["properties"] = {"tags": list(tags)}
    return rule


def _failure(report: FileReport) -> dict[str, Any]:
    failure = report.failure
    assert failure is not None
    region = {"startLine": failure.line, "startColumn": failure.column} if failure.line else None
    return sarif.result(SYNTAX, "error", clean(failure.message), sarif.location(report.name, region))


def _result(report: FileReport, item: ReportItem) -> dict[str, Any]:
    region = {
        "startLine": item.line,
        "startColumn": item.column,
        "endLine": item.end_line,
        "endColumn": item.end_column,
    }
    place = sarif.location(report.name, region)
    result = sarif.result(item.name, _LEVELS[item.kind], clean(item.full_message), place)
    result["properties"] = {
        "tier": item.tier, "kind": item.kind, "benefit": benefit_json(item.benefit),
        "together_with": together_json(item), **({"documentation": item.documentation} if item.documentation else {}),
    }  # fmt: skip
    if item.kind == "refusal":
        result["kind"] = "informational"
    if item.edits:
        index = LineIndex(report.text)
        replacements = [
            {
                "deletedRegion": _region(index, edit.start, edit.end),
                "insertedContent": {"text": clean(edit.text)},
            }
            for edit in item.edits
        ]
        artifact = {"artifactLocation": sarif.artifact(report.name), "replacements": replacements}
        description = item.message + "".join(f"; together with {fix.name} (line {fix.line})" for fix in item.together)
        result["fixes"] = [{"description": {"text": clean(description)}, "artifactChanges": [artifact]}]
    return result


def _region(index: LineIndex, start: int, end: int) -> dict[str, int]:
    line, column = position(index, start)
    end_line, end_column = position(index, end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
