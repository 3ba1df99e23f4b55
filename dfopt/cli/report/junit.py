"""junit: JUnit's XML, as Jenkins, GitLab and others read it: a suite for each file, a case for each finding.

A finding is a failure whose type is its pass; a refusal is a skipped case; a file that is not a Dockerfile is an error.
A file without findings has one case, which passes.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from dfopt.cli.report.base import FileReport, Reporter, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class JUnit(Reporter):
    def head(self) -> str:
        return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dfopt">\n'

    def file(self, report: FileReport) -> str:
        cases: list[str] = []
        failure = report.failure
        if failure:
            place = f" ({failure.line}:{failure.column})" if failure.line else ""
            cases.append(_case(report.name, f"syntax{place}", "error", "syntax-error", failure.message))
        for item in report.items:
            kind = "skipped" if item.kind == "refusal" else "failure"
            name = f"{item.name} ({item.line}:{item.column})"
            cases.append(_case(report.name, name, kind, f"{item.name}[{item.label}]", item.full_message))
        failures = sum(item.kind != "refusal" for item in report.items)
        skipped = len(report.items) - failures
        if not cases:
            cases.append(f'    <testcase classname={_value(report.name)} name="dfopt"/>\n')
        return (
            f'  <testsuite name={_value(report.name)} tests="{len(cases)}" failures="{failures}" '
            f'errors="{int(failure is not None)}" skipped="{skipped}">\n{"".join(cases)}  </testsuite>\n'
        )

    def tail(self, totals: Mapping[str, int]) -> str:
        return "</testsuites>\n"


def _case(file: str, name: str, kind: str, type: str, message: str) -> str:
    typed = "" if kind == "skipped" else f" type={_value(type)}"
    return (
        f"    <testcase classname={_value(file)} name={_value(name)}>\n"
        f"      <{kind}{typed} message={_value(message)}/>\n    </testcase>\n"
    )


def _value(text: str) -> str:
    """An attribute value with its quotes; characters that XML 1.0 cannot represent become U+FFFD."""
    kept = "".join(char if char >= " " or char in "\t\n\r" else "\ufffd" for char in clean(text))
    kept = kept.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    quoted = quoteattr(kept, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return "".join(char if char.isprintable() else f"&#{ord(char)};" for char in quoted)
