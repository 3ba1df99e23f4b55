"""Golden cases on disk: reading, running and writing them.

A case is a directory with

    Dockerfile            the input, byte for byte
    case.toml             optional: `select`, `ignore`, `unsafe = true`, `settings = { pass = { option = value } }`
    expected.Dockerfile   the output (absent where nothing may change)
    expected.diff         the unified diff, with the passes of each hunk
    expected.txt          what is reported without a change: one line each, `line: pass [tier] message: reason`

Without `select`, the pass that the parent directory is named after runs alone.
"""

from __future__ import annotations

from pathlib import Path

from dfopt.edit import unified_diff
from dfopt.knowledge import load_toml
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import Record
from dfopt.results import Result
from dfopt.source import LineIndex, Source, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.facts import Facts


class CaseError(Exception):
    """A case directory that is not well formed; the message names the file."""


class Case(Record):
    """One golden case. `name` is "<parent>/<directory>"."""

    name: str
    path: Path
    source: Source
    options: Options

    def expected(self, name: str) -> bytes | None:
        file = self.path / name
        return file.read_bytes() if file.is_file() else None

    def facts(self) -> Facts:
        from dfopt.testing.facts import CaseFacts

        return CaseFacts(self.path)


class Outcome(Record):
    """What a run made of a case, in the form in which it is kept; None where the file must be absent."""

    result: Result
    dockerfile: bytes | None
    diff: bytes | None
    report: bytes | None


FILES = {"expected.Dockerfile": "dockerfile", "expected.diff": "diff", "expected.txt": "report"}


def load(path: Path) -> Case:
    """The case in a directory. Raises CaseError."""
    try:
        data = (path / "Dockerfile").read_bytes()
    except OSError as error:
        raise CaseError(f"{path}: no readable Dockerfile: {error.strerror}") from None
    settings = _settings(path / "case.toml")
    tiers = ("safe", "unsafe") if settings.pop("unsafe", False) else ("safe",)
    select = tuple(settings.pop("select", (path.parent.name,)))
    options = Options(select, tuple(settings.pop("ignore", ())), tiers, settings.pop("settings", {}))
    if settings:
        raise CaseError(f"{path / 'case.toml'}: unknown keys: {', '.join(sorted(settings))}")
    return Case(f"{path.parent.name}/{path.name}", path, Source.from_bytes(data), options)


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return load_toml(path.read_bytes())
    except ValueError as error:  # not TOML, or not UTF-8
        raise CaseError(f"{path}: {error}") from None


def find(root: Path) -> list[Path]:
    """The case directories below `root`: those that hold a Dockerfile, two levels down."""
    return sorted(path.parent for path in root.glob("*/*/Dockerfile"))


def run(case: Case) -> Outcome:
    return outcome_of(case, optimize(case.source, case.options, case.facts()))


def outcome_of(case: Case, result: Result) -> Outcome:
    """A result of a case in the form in which it is kept."""
    labels = [f"{one.name}: {one.message}" for one in result.applied]
    diff = unified_diff(case.source.text, result.changes, "Dockerfile", labels)
    lines = LineIndex(case.source.text)
    report: list[str] = []
    if result.problem is not None:
        report.append(f"{result.problem.line}:{result.problem.column}: {result.problem.message}\n")
    for one in result.reported:
        kind = "gate" if one.by_gate else "refused" if one.reason else one.tier
        reason = f": {one.reason}" if one.reason else ""
        report.append(f"{lines.line(one.start) + 1}: {one.name} [{kind}] {one.message}{reason}\n")
    return Outcome(
        result,
        encode(result.output) if result.changed else None,
        encode(diff) or None,
        "".join(report).encode() or None,
    )


def differences(case: Case, outcome: Outcome) -> list[str]:
    """Which of the expected files differ from the outcome."""
    found: list[str] = []
    for name, field in FILES.items():
        want, got = case.expected(name), getattr(outcome, field)
        if want != got:
            found.append(f"{case.name}/{name}: expected\n{_shown(want)}\ngot\n{_shown(got)}")
    return found


def update(case: Case, outcome: Outcome) -> list[str]:
    """Writes the expected files anew; returns the names of those that changed."""
    changed: list[str] = []
    for name, field in FILES.items():
        got = getattr(outcome, field)
        if case.expected(name) == got:
            continue
        changed.append(name)
        if got is None:
            (case.path / name).unlink()
        else:
            (case.path / name).write_bytes(got)
    return changed


def _shown(data: bytes | None) -> str:
    return "(no such file)" if data is None else data.decode("utf-8", "backslashreplace")
