"""gitlab: a Code Quality report (a JSON array of issues, as GitLab documents it).

The fingerprint of an issue is computed from path, pass, message and the text of its line, not from line numbers: it
stays the same when lines are added above.
"""

from __future__ import annotations

import json
from hashlib import sha256

from dfopt.cli.report.base import FileReport, Reporter, clean
from dfopt.messages import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SEVERITIES = {"fix": "minor", "available": "minor", "suggestion": "info", "refusal": "info"}


class GitLab(Reporter):
    separator = ",\n"

    def head(self) -> str:
        return "[\n"

    def file(self, report: FileReport) -> str:
        lines = report.text.split("\n")
        entries: list[tuple[str, str, str, int, int]] = []
        failure = report.failure
        if failure:
            entries.append(("syntax-error", failure.message, "blocker", failure.line or 1, failure.line or 1))
        for item in report.items:
            severity = _SEVERITIES.get(item.kind, "info")
            entries.append((item.name, item.full_message, severity, item.line, item.end_line))
        occurrences: dict[tuple[str, ...], int] = {}
        issues: list[str] = []
        for name, message, severity, line, end in entries:
            excerpt = lines[line - 1].strip() if line <= len(lines) else ""
            identity = (report.name, name, message, excerpt)
            occurrences[identity] = occurrences.get(identity, 0) + 1
            key = json.dumps([*identity, occurrences[identity]]).encode("ascii")
            issue = {
                "description": clean(message),
                "check_name": name,
                "fingerprint": sha256(key).hexdigest(),
                "severity": severity,
                "location": {"path": clean(report.name), "lines": {"begin": line, "end": end}},
            }
            issues.append(json_text(issue))
        return ",\n".join(issues)

    def tail(self, totals: Mapping[str, int]) -> str:
        return "\n]\n"
