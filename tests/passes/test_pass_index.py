"""The index of the passes says what the passes say, also where it was kept from an earlier run or came in a wheel."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import dfopt
from dfopt.lazy import _Later, regex
from dfopt.pass_selection import Options, UnknownNameError, chosen
from dfopt.passes import index
from dfopt.passes.base import registered


def test_it_is_what_the_passes_say() -> None:
    assert list(index.entries()) == [index.PassEntry(*row) for row in index.rows()]
    assert [one.load() for one in index.entries()] == list(registered().values())


def test_chosen() -> None:
    names = [one.name for one in chosen(Options())]
    assert names == [cls.name for cls in registered().values() if cls.default and cls.strategy is None]
    assert [one.name for one in chosen(Options(("DL3059",)))] == ["merge-run"]
    assert len(chosen(Options(("all",)))) == sum(
        cls.strategy is None and not cls.by_name for cls in registered().values()
    )
    assert "merge-run" not in [one.name for one in chosen(Options(("SIZE",), ("Merge-Run",)))]
    with pytest.raises(UnknownNameError, match="nothing-such"):
        chosen(Options(("all",), ("nothing-such",)))


def test_all_expressions_compile() -> None:
    found = 0
    for module in pkgutil.walk_packages(dfopt.__path__, "dfopt."):
        if not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, _Later):
                    found += 1
                    re.compile(*value._given)
    assert found > 100


def test_an_expression_that_is_compiled_later() -> None:
    later = regex("(a)(b)?", re.I)
    assert later.groups == 2
    assert [match[0] for match in later.finditer("xAbA")] == ["Ab", "A"]
    assert later.sub("-", "ba") == "b-"
    assert "match" in vars(later)
    with pytest.raises(AttributeError):
        later.nothing  # noqa: B018
    with pytest.raises(re.error):
        regex("(").match("")
