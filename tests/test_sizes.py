"""One idea a file: a pass has at most 150 lines, any other file about 400."""

from __future__ import annotations

from pathlib import Path

from dfopt.passes.base import registered

PACKAGE = Path(__file__).parents[1] / "dfopt"
PASS, FILE = 150, 400
# file -> its own limit, and why it is not cut
LARGER = {"syntax/expand.py": 460}  # BuildKit's lexer of words, which is one


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def test_passes_are_short() -> None:
    files = {PACKAGE.parent.joinpath(*cls.__module__.split(".")).with_suffix(".py") for cls in registered().values()}
    assert len(files) > 40
    assert {str(file.relative_to(PACKAGE)): lines(file) for file in files if lines(file) > PASS} == {}


def test_files_are_short() -> None:
    found = {str(file.relative_to(PACKAGE)): lines(file) for file in PACKAGE.rglob("*.py")}
    assert {name: count for name, count in found.items() if count > LARGER.get(name, FILE)} == {}
    assert all(found[name] > FILE for name in LARGER), "exceptions that nobody needs"
