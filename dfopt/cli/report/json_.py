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
                                                 "root": false, "origin": "estimated", "source": "savings.toml",
                                                 "mends": ""},
                              "line": 4, "column": 1, "end_line": 6, "end_column": 20,
                              "edits": [{"line": 4, "column": 1, "end_line": 4, "end_column": 3, "text": "..."}],
                              "together_with": [{"pass": "apt-cleanup", "tier": "safe", "line": 4}]}]}],
     "totals": {"files": 1, "errors": 0, "changed": 1, ...}}

`kind` is "fix", "available" (a fix of a tier that was not selected), "suggestion", "refusal" or "unused-suppression".
Lines and columns count from 1; lines end with "\\n", columns are code points (a byte order mark takes none), ends are
exclusive. `totals` counts what was looked for (`fix` looks for what it applies, unless more is asked for). `line` of an
error is null if no place is to blame. The `edits` of a finding are those of the file as it is
that make this finding alone, proved by themselves; all or none of them are to be applied, and other findings' edits may
meet them. `together_with`: what it cannot be applied apart from. Its `edits` then make those fixes too; where it has
none, those fixes come first, or one of them is unsafe while the finding is safe. Files without findings are listed too.
`documentation`, where the setting of that name is set: the address of the page about the finding.
Where a profile fits the file, a `benefit` also has `line_bytes` and `line_dead_bytes`: what the lines of the finding
wrote, and what of that died in a later layer. Bytes that are not UTF-8 appear as U+FFFD: use `--patch` for exact bytes.
"""

from __future__ import annotations

import json

from dfopt.cli.report.base import FileReport, Reporter, clean, codes_of, position, together_json
from dfopt.cost import benefit_json
from dfopt.messages import json_text
from dfopt.source import LineIndex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.edit import Edit

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
                "edits": [_edit(index, edit) for edit in item.edits],
                "together_with": together_json(item),
                **({"documentation": item.documentation} if item.documentation else {}),
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


def _edit(index: LineIndex, edit: Edit) -> dict[str, object]:
    line, column = position(index, edit.start)
    end_line, end_column = position(index, edit.end)
    return {
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": clean(edit.text),
    }
