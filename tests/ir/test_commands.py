"""Words of commands: joined short options."""

from __future__ import annotations

import pytest

from dfopt.ir.commands import unbundled


@pytest.mark.parametrize(
    ("words", "apart"),
    [
        ("-qO/bin/x url", "-q -O /bin/x url"),
        ("-qO /bin/x url", "-q -O /bin/x url"),
        ("-qO- url", "-q -O - url"),
        ("-fsSLo /x url", "-f -s -S -L -o /x url"),
        ("-o -fsS url", "-o -fsS url"),
        ("--output -fsS url", "--output -fsS url"),
        ("--output=/x -LO url", "--output=/x -L -O url"),
        ("- -- url", "- -- url"),
    ],
)
def test_unbundled(words: str, apart: str) -> None:
    taking = ("-o", "--output", "-O") if "url" in words and "-LO" not in words else ("-o", "--output")
    assert unbundled(words.split(), taking) == apart.split()


def test_a_word_that_is_not_fixed_may_be_a_value() -> None:
    assert unbundled(["-so", None, "-s"], ("-o",)) == ["-s", "-o", None, "-s"]
