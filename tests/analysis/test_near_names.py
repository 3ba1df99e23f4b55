"""Names a slip or two away, found without a comparison of each with each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfopt.analysis.near_names import NearNames, _allowed, _slips, near_name

NAME = st.text("aBc", min_size=2, max_size=11)


@given(NAME, st.lists(NAME, max_size=6))
def test_as_by_comparing_each(name: str, known: list[str]) -> None:
    distances: dict[str, int] = {}
    for other in known:
        slips = _slips(name.lower(), other.lower())
        if min(len(name), len(other)) >= 4 and slips <= _allowed(name, other):
            distances[other] = slips
    nearest = [other for other, slips in distances.items() if slips == min(distances.values())]
    expected = nearest[0] if len(nearest) == 1 else ""
    assert near_name(name, known) == NearNames(known).nearest(name) == expected


@pytest.mark.parametrize("name", ["VERSOIN", "VERSIO", "VERSIONN", "version", "VERSIUN"])
def test_slips(name: str) -> None:
    assert near_name(name, ["VERSION", "OTHER_NAME"]) == "VERSION"


def test_only_some_of_the_names_count() -> None:
    names = NearNames(["first_name", "second_name"])
    assert names.nearest("frist_name") == "first_name"
    assert names.nearest("frist_name", lambda name: name != "first_name") == ""
    assert names.nearest("x" * 100_000) == ""
