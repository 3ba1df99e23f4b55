"""What words select which passes."""

from __future__ import annotations

import pytest

from dfopt.pass_selection import Options, chosen
from dfopt.passes.base import registered

BY_NAME = {"flatten", "multi-stage", "swap-base"}


def names(*select: str) -> set[str]:
    return {one.name for one in chosen(Options(select))}


def test_restructuring_is_never_selected_by_a_group() -> None:
    assert {name for name, cls in registered().items() if cls.by_name} == BY_NAME
    assert not names("all") & BY_NAME
    assert not names("size") & BY_NAME
    assert not names() & BY_NAME


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_restructuring_is_selected_by_name(name: str) -> None:
    assert names("size", name) & BY_NAME == {name}
    assert all(name in names(code) for code in registered()[name].codes)
