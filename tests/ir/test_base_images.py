"""Rows of a table by image: the first that fits, as a regular expression made of its names would find it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dfopt.ir.base_images import _KEPT, ImageRows, _fits


@given(st.text("ab/*", max_size=6), st.text("ab/", max_size=8))
def test_a_star_stands_for_any_text(pattern: str, name: str) -> None:
    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
    assert (_fits(name, pattern.split("*")) if "*" in pattern else pattern == name) == expected


ROWS = [
    {"match": ["debian"], "tag": "slim"},
    {"match": ["x/*/y*", "debian"]},
    {"match": ["*"], "tag": "^1"},
    {"match": ["x/deb/y"]},
]


def test_the_first_row_that_fits() -> None:
    rows = ImageRows(ROWS)
    for image, number in (
        ("debian:13-slim", 0), ("debian", 1), ("docker.io/library/debian:13", 1), ("x/deb/y", 1), ("x/y", None),
        ("x/y:1", 2), ("x/y:2", None), ("x/y@sha256:0", None), ("i386/debian:slim", 0),
    ):  # fmt: skip
        assert rows.find(image) == (None if number is None else ROWS[number]), image
        assert rows.find(image) is rows.find(image)


def test_what_is_remembered_is_bounded() -> None:
    rows = ImageRows(ROWS)
    for number in range(3 * _KEPT):
        rows.find(f"debian:{number}")
        assert len(rows.found) <= _KEPT
