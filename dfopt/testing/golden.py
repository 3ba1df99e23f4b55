"""Golden cases: reading, running and writing them.

The files of a case (a directory, or a section of a Markdown file, see `case_files`) are

    Dockerfile            the input, byte for byte
    case.toml             optional: `select`, `ignore`, `unsafe = true`, `settings = { pass = { option = value } }`
    expected.Dockerfile   the output (absent where nothing may change)
    expected.diff         the unified diff, with the passes of each hunk; only in a directory
    expected.txt          what is reported without a change: one line each, `line: pass [tier] message: reason`; in
                          Markdown the headers of the diff's hunks before it, `@@ -1,4 +1,4 @@ pass [tier] message`

Without `select`, the pass that the case belongs to runs alone.
"""

from __future__ import annotations

from dfopt.edit import split_lines, unified_diff
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options, UnknownNameError, chosen
from dfopt.record import Record
from dfopt.results import Result
from dfopt.source import LineIndex, Source, encode
from dfopt.testing.case_files import CaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.testing.case_files import CaseFiles


class GoldenCase(Record):
    """One golden case."""

    files: CaseFiles
    source: Source
    options: Options

    @property
    def name(self) -> str:
        """ "<group>/<case>" """
        return self.files.name

    def facts(self) -> Facts:
        """The case's facts, read anew. Raises CaseError."""
        from dfopt.testing.facts import CaseFacts

        return CaseFacts(self.files)


class GoldenOutcome(Record):
    """What a run made of a case, and the expected files that keep it, by name; None where a file must be absent."""

    result: Result
    expected: dict[str, bytes | None]

    @property
    def dockerfile(self) -> bytes | None:
        return self.expected["expected.Dockerfile"]


def load(files: CaseFiles) -> GoldenCase:
    """The case of a pass. Raises CaseError."""
    settings = files.table("case.toml")
    tiers = ("safe", "unsafe") if settings.pop("unsafe", False) else ("safe",)
    select = strings(files, settings, "select", (files.group,))
    given = settings.pop("settings", {})
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise CaseError(f"{files.where('case.toml')}: settings: must be a table of tables")
    level = settings.pop("level", 0)
    if level not in (0, 1, 2, 3):
        raise CaseError(f"{files.where('case.toml')}: level: must be 1, 2 or 3")
    options = Options(() if level else select, strings(files, settings, "ignore"), tiers, given, level or 1)
    if settings:
        raise CaseError(f"{files.where('case.toml')}: unknown keys: {', '.join(sorted(settings))}")
    try:
        chosen(options)
    except UnknownNameError as error:
        raise CaseError(f"{files.where('case.toml')}: no pass, group or code: {error}") from None
    return GoldenCase(files, source_of(files), options)


def strings(files: CaseFiles, table: dict[str, Any], key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Takes a list of strings out of a table of case.toml. Raises CaseError."""
    value = table.pop(key, default)
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise CaseError(f"{files.where('case.toml')}: {key}: must be a list of strings")
    return tuple(value)


def source_of(files: CaseFiles) -> Source:
    """The Dockerfile of a case. Raises CaseError."""
    data = files.read("Dockerfile")
    if data is None:
        raise CaseError(f"{files.where('Dockerfile')}: no such file")
    return Source.from_bytes(data)


def run(case: GoldenCase) -> GoldenOutcome:
    return outcome_of(case, optimize(case.source, case.options, case.facts()))


def outcome_of(case: GoldenCase, result: Result) -> GoldenOutcome:
    """A result of a case with the files that keep it."""
    report = _report(result)
    expected = {"expected.Dockerfile": encode(result.output) if result.changed else None}
    if case.files.keeps_diff:
        labels = [f"{fix.name}: {fix.message}" for fix in result.applied]
        expected["expected.diff"] = encode(_diff(result, labels)) or None
    else:
        report = hunk_headers(result) + report
    expected["expected.txt"] = encode(report) or None
    return GoldenOutcome(result, expected)


def hunk_headers(result: Result) -> str:
    """The headers of the diff's hunks, a line each, with name, tier and message of the fixes that made them."""
    labels = [f"{fix.name} [{fix.tier}] {fix.message}" for fix in result.applied]
    return "".join(line for line in split_lines(_diff(result, labels)) if line.startswith("@@"))


def _diff(result: Result, labels: list[str]) -> str:
    return unified_diff(result.source.text, result.changes, "Dockerfile", labels)


def _report(result: Result) -> str:
    lines = LineIndex(result.source.text)
    report: list[str] = []
    if result.problem is not None:
        report.append(f"{result.problem.line}:{result.problem.column}: {result.problem.message}\n")
    for finding in result.reported:
        kind = "gate" if finding.by_gate else "refused" if finding.reason else finding.tier
        report.append(f"{lines.line(finding.start) + 1}: {finding.name} [{kind}] {finding.full_message}\n")
    return "".join(report)


def differences(case: GoldenCase, outcome: GoldenOutcome) -> list[str]:
    """Which of the expected files differ from the outcome. Raises CaseError."""
    found: list[str] = []
    for name, got in outcome.expected.items():
        want = case.files.read(name)
        if want != got:
            found.append(f"{case.name}/{name}: expected\n{_shown(want)}\ngot\n{_shown(got)}")
    return found


def update(case: GoldenCase, outcome: GoldenOutcome) -> list[str]:
    """Writes the expected files anew; returns the names of those that changed. Raises CaseError where a file cannot be
    written, or Markdown cannot show it."""
    changed = [name for name, got in outcome.expected.items() if case.files.read(name) != got]
    for name in changed:
        case.files.write(name, outcome.expected[name])
    return changed


def _shown(data: bytes | None) -> str:
    return "(no such file)" if data is None else data.decode("utf-8", "backslashreplace")
