"""Ranges and minimal edits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfopt.edit import Edit, apply_edits
from dfopt.lsp.place import Places, minimal
from lsp.editing import applied, offset_of

types = pytest.importorskip("lsprotocol.types")  # the extra is part of the tests' environment

TEXTS = st.text(st.sampled_from("ab\r\n\u2028\x0c\x85\U0001f680\u00e9"), max_size=30)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edits: list[Edit] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        if not edits or start > edits[-1].end or (start == edits[-1].end and end > start and edits[-1].start < start):
            edits.append(Edit(start, end, draw(TEXTS)))
    return text, edits


@given(edited(), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_an_editor_makes_the_same_text(case: tuple[str, list[Edit]], unit: str) -> None:
    text, edits = case
    places = Places(text, unit)
    made = []
    for one in minimal(text, edits):
        line, column, last, end = places.range(one.start, one.end)
        made.append(types.TextEdit(types.Range(types.Position(line, column), types.Position(last, end)), one.text))
    assert applied(text, made, unit) == apply_edits(text, edits)


@given(TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.data())
def test_positions_are_the_protocols(text: str, unit: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    if text[at - 1 : at + 1] == "\r\n":
        return  # an editor has no such position
    line, column, _, _ = Places(text, unit).range(at, at)
    assert offset_of(text, types.Position(line, column), unit) == at
    assert Places(text, unit).offset(line, column) == at
