"""The `# syntax=` line: found, and left out for a build."""

from __future__ import annotations

import pytest

from dfopt.engine.syntax_directive import frontend_of, without_frontend

CASES = [
    ("none", b"FROM a\n", None, b"FROM a\n"),
    ("first", b"# syntax=docker/dockerfile:1\nFROM a\n", "docker/dockerfile:1", b"FROM a\n"),
    ("crlf", b"# syntax=x\r\nFROM a\r\n", "x", b"FROM a\r\n"),
    ("escape stays", b"# escape=`\n# Syntax = x\nFROM a\n", "x", b"# escape=`\nFROM a\n"),
    ("check goes too", b"# check=skip=all\n# escape=`\nFROM a\n", None, b"# escape=`\nFROM a\n"),
    ("after a comment", b"# hello\n# syntax=x\nFROM a\n", None, b"# hello\n# syntax=x\nFROM a\n"),
    ("no Dockerfile", b"# syntax=x\nhello\n", None, b"# syntax=x\nhello\n"),
]


@pytest.mark.parametrize(("before", "name", "after"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_frontend(before: bytes, name: str | None, after: bytes) -> None:
    assert frontend_of(before) == name
    assert without_frontend(before) == after
