"""The law of the printed diff sees a diff that is not true."""

from __future__ import annotations

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from dfopt.testing import laws

TEXT = "From scratch\n\n\n\n\n\n\n\n\n\n\nCopy a /a"  # two hunks; the last line has no newline
RESULT = optimize(Source("Dockerfile", TEXT), Options(("keyword-case",)))


def test_true_diff() -> None:
    assert RESULT.output == TEXT.replace("From", "FROM").replace("Copy", "COPY")
    assert laws.diff_is_true(RESULT) == ""


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("+FROM scratch\n", "", "does not make the output"),
        ("+FROM scratch\n", "+FROM scratch2\n", "does not make the output"),
        ("-From scratch\n", "-From scratch2\n", "line 1 of the original"),
        ("@@ -9,4 +9,4 @@", "@@ -8,4 +8,4 @@", "line 11 of the original"),
        ("+COPY a /a\n\\ No newline at end of file\n", "+COPY a /a\n", "does not make the output"),
    ],
    ids=["line lacks", "line is another", "original is another", "place is another", "newline too many"],
)
def test_diff_that_is_not_true(monkeypatch: pytest.MonkeyPatch, old: str, new: str, broken: str) -> None:
    printed = laws.unified_diff(RESULT.source.text, RESULT.changes, "Dockerfile", [""] * 3)
    assert old in printed
    monkeypatch.setattr(laws, "unified_diff", lambda *_: printed.replace(old, new))
    assert broken in laws.diff_is_true(RESULT)
