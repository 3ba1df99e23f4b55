"""What the paths that a container opened tell of others."""

from __future__ import annotations

import pytest

from dfopt.proof.opened_files import is_below, python_source


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/usr/lib/python3/__pycache__/enum.cpython-313.pyc", "/usr/lib/python3/enum.py"),
        ("/app/a.b/__pycache__/__init__.pypy310.opt-1.pyc", "/app/a.b/__init__.py"),
        ("/app/enum.pyc", ""),
        ("/app/__pycache__/notes", ""),
    ],
)
def test_the_source_of_bytecode(path: str, source: str) -> None:
    assert python_source(path) == source


def test_below() -> None:
    assert is_below("/a/b", ["/a/"])
    assert is_below("/a/b", ["/x", "/a/b"])
    assert is_below("/a", ["/"])
    assert not is_below("/ab", ["/a"])
    assert not is_below("/a", [])
