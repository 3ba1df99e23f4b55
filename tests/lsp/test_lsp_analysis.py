"""What the language server finds in a text, by the options of its configuration."""

from __future__ import annotations

from dfopt.edit import apply_edits
from dfopt.lsp.analysis import Analysis
from dfopt.pass_selection import Options

TEXT = "FROM debian:13\nENV greeting hello\n"


def test_modernize_and_level_hold_in_editors() -> None:
    analysis = Analysis(TEXT, "Dockerfile", Options(modernize=True))
    named = {finding.name for finding in analysis.findings}
    assert "legacy-env-label" in named - {finding.name for finding in Analysis(TEXT, "Dockerfile", Options()).findings}
    assert apply_edits(TEXT, analysis.fix_all()) == "FROM debian:13\nENV greeting=hello\n"
    full = 'FROM python:3.12\nRUN pip install flask\nCMD ["flask", "run"]\n'
    names = {finding.name for finding in Analysis(full, "Dockerfile", Options(level=2)).findings}
    assert "swap-base" in names - {finding.name for finding in Analysis(full, "Dockerfile", Options()).findings}
