"""json: one object.

    {"version": 1,
     "tool": {"name": "dfopt", "version": "0.1.0"},
     "files": [{"path": "Dockerfile",
                "error": null | {"message": "...", "line": 3, "column": 1},
                "changed": true,                 # a run with --write would change it
                "written": false,
                "findings": [{"pass": "merge-run", "kind": "fix", "tier": "safe", "codes": ["DL3059"],
                              "message": "...", "reason": "", "unblock": "",
                              "benefit": null | {"bytes": 20000000, "layers": 0, "rebuild_seconds": 0.0, "setuid": 0,
                                                 "root": false, "origin": "estimated", "source": "savings.toml"},
                              "line": 4, "column": 1, "end_line": 6, "end_column": 20,
                              "edits": [{"line": 4, "column": 1, "end_line": 4, "end_column": 3, "text": "..."}]}]}],
     "totals": {"files": 1, "errors": 0, "changed": 1, ...}}

`kind` is "fix", "available" (a fix of a tier that was not selected), "suggestion", "refusal" or "unused-suppression".
Lines and columns count from 1; lines end with "\\n", columns are code points (a byte order mark takes none), ends are
exclusive. `line` of an error is null if no place is to blame. The `edits` of a fix belong together. Files without
findings are listed too. Bytes that are not UTF-8 appear as U+FFFD: use `--patch` for exact bytes.
"""

from __future__ import annotations

import json

from dfopt.cli.report.base import FileReport, Reporter, benefit_json, clean, codes_of, edits_of, position
from dfopt.messages import json_text
from dfopt.source import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.edit import Change

VERSION = 1


class Json(Reporter):
    separator = ",\n"

    def head(self) -> str:
        from dfopt.version import version

        tool = json.dumps({"name": "dfopt", "version": version()})
        return f'{{"version": {VERSION}, "tool": {tool}, "files": [\n'

    def file(self, report: FileReport) -> str:
        index = LineIndex(report.text)
        codes = codes_of(item.name for item in report.items)
        failure = report.failure
        error = failure and {
            "message": clean(failure.message), "line": failure.line or None, "column": failure.column or None,
        }  # fmt: skip
        findings = [
            {
                "pass": item.name,
                "kind": item.kind,
                "tier": item.tier,
                "codes": list(codes[item.name]),
                "message": clean(item.message),
                "reason": clean(item.reason),
                "unblock": clean(item.unblock),
                "benefit": benefit_json(item.benefit),
                "line": item.line,
                "column": item.column,
                "end_line": item.end_line,
                "end_column": item.end_column,
                "edits": [_edit(index, change) for change in edits_of(report, item)],
            }
            for item in report.items
        ]
        return json_text(
            {
                "path": clean(report.name),
                "error": error,
                "changed": report.changed,
                "written": report.written,
                "findings": findings,
                **({"proof": report.proof} if report.proof is not None else {}),
            }
        )

    def tail(self, totals: Mapping[str, int]) -> str:
        return f'\n], "totals": {json.dumps(dict(totals))}}}\n'


def _edit(index: LineIndex, change: Change) -> dict[str, object]:
    line, column = position(index, change.start)
    end_line, end_column = position(index, change.end)
    return {
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": clean(change.text),
    }
