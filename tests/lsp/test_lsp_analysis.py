"""What the language server finds in a text, by the options of its configuration."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli.running import environment

from dfopt.edit import apply_edits
from dfopt.lsp.analysis import Analysis, Refused
from dfopt.lsp.client_settings import settings_from
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


def test_edits_are_made_once_for_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients ask for actions at each move of the cursor."""
    text = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
    analysis = Analysis(text, "Dockerfile", Options())
    finding = next(finding for finding in analysis.findings if finding.name == "apt-cleanup")
    first = analysis.edits(finding), analysis.fix_all(("safe",)), analysis.suppress("apt-cleanup", finding.start)
    assert all(first)
    monkeypatch.setattr("dfopt.lsp.analysis.admit", None)
    monkeypatch.setattr("dfopt.lsp.analysis.optimize", None)
    second = analysis.edits(finding), analysis.fix_all(("safe",)), analysis.suppress("apt-cleanup", finding.start)
    assert second == first


def test_a_refusal_is_made_once_for_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = Analysis(TEXT, "Dockerfile", Options(("legacy-env-label",)))
    (finding,) = analysis.findings
    monkeypatch.setattr("dfopt.lsp.analysis.disagreement", lambda *_: "it disagrees")
    for _ in range(2):
        with pytest.raises(Refused, match="it disagrees"):
            analysis.edits(finding)
        monkeypatch.setattr("dfopt.lsp.analysis.disagreement", None)


@pytest.mark.parametrize(
    ("value", "pause", "errors"),
    [(0, 0, 0), (250, 250, 0), (10_000, 10_000, 0), (-1, 50, 1), (10_001, 50, 1), (True, 50, 1), ("9", 50, 1)],
)
def test_the_pause_before_findings_are_pushed(value: object, pause: int, errors: int) -> None:
    settings, wrong = settings_from({"pause": value})
    assert (settings.pause, len(wrong)) == (pause, errors)


def test_methods_that_attrs_wrote_are_compiled_once(tmp_path: Path) -> None:
    """The second process compiles none, and the protocol's classes do what they did."""
    script = """
import sys
from dfopt.lsp.generated_code import KeptMethods
with KeptMethods() as methods:
    from lsprotocol import types
from attr import _make
assert "compile" not in vars(_make)
place = types.Position(1, 2)
assert place == types.Position(1, 2) != types.Position(1, 3)
assert types.Position(1, 2) < types.Position(1, 3)
print(repr(types.Location("a", types.Range(place, place))))
print(len(methods.new), len(methods.kept))
"""
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True,
            env=environment(PYTHONPYCACHEPREFIX=str(tmp_path)),
        ).stdout.split("\n")
        for _ in range(2)
    ]  # fmt: skip
    assert runs[0][0] == runs[1][0] != ""
    made, kept = (tuple(map(int, lines[1].split())) for lines in runs)
    assert made[0] > 100
    assert made[1] == 0
    assert kept == (0, made[0])
