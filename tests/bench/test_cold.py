"""The benchmark of short runs: every row is there, and the cases are what their names say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from dfopt.syntax.dockerfile import parse

from . import cold, scaling


@pytest.mark.parametrize("kind", scaling.LONG)
def test_a_long_file_has_so_many_instructions(kind: str) -> None:
    assert len(parse(scaling.long_file(kind, 30)).instructions) == 31


def test_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text(cold.SMALL)
    before = Path(sys.executable).parents[1]
    assert (
        cold.main([str(tmp_path), "--quick", "--before", str(before), "--peer", f"other={sys.executable} -c pass"]) == 0
    )
    titles = re.findall(r"^\| (.+?) \| [\d,]+", capsys.readouterr().out, re.M)
    assert titles == [
        "a small file, alone", "in a checkout of 20 directories", "there, its base sought", "`--version`", "`--help`",
        "`python -c pass`", "the small file: other", "language server, first answer", "1 files, a start each: dfopt",
        "1 files, a start each: other", "1 files in one process", "the same from the cache",
        "5 Dockerfiles of one directory, a context of 50 files", "5 `*/base/Dockerfile`, each with a child",
        *(f"10, 100 instructions: {kind}" for kind in scaling.LONG), "1 files on two processes",
    ]  # fmt: skip


def test_a_comparison_takes_no_more_than_so_many_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold, "MOST_OF_A_REPOSITORY", 2)
    files = [tmp_path / f"org+{name}+{number}.Dockerfile" for name in "ab" for number in range(3)]
    for file in files:
        file.write_text(cold.SMALL)
    clock = cold.Clock(tmp_path, 1)
    monkeypatch.setattr(clock, "least", lambda commands: [float(number + 1) for number, _ in enumerate(commands)])
    row = cold.compared(clock, ["dfopt"], tmp_path, files, tmp_path / "place")
    assert row == ("4 files on two processes", "1 ms (before: 2 ms, 2.00 times)")
