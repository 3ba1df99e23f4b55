"""The recipes that come with dfopt, on golden cases: what they make, the laws, and BuildKit's opinion."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_sample import updates
from oracle_client import Oracle

from dfopt.recipes.load import RecipeLibrary
from dfopt.testing import golden, recipes
from dfopt.testing.discovery import find

ROOT = Path(__file__).parent / "golden"
CASES = [recipes.load(files, RecipeLibrary()) for files in find(ROOT)]


@pytest.fixture(params=CASES, ids=lambda one: one.case.name)
def case(request: pytest.FixtureRequest) -> recipes.RecipeCase:
    found: recipes.RecipeCase = request.param
    return found


def test_every_shipped_recipe_of_passes_has_cases() -> None:
    library = RecipeLibrary()
    shipped = {name for name in library.names() if library.get(name).kind == "passes"}
    assert {"hardened", "small", "ci"} <= shipped
    assert shipped == {one.case.name.rpartition("/")[0] for one in CASES}


def test_expected(case: recipes.RecipeCase, request: pytest.FixtureRequest) -> None:
    outcome = recipes.run(case)
    if updates(case.case, request.config):
        golden.update(case.case, outcome)
    assert golden.differences(case.case, outcome) == []


def test_laws(case: recipes.RecipeCase) -> None:
    assert recipes.broken_laws(case, recipes.run(case)) == []


def test_buildkit_reads_the_result(case: recipes.RecipeCase, oracle: Oracle) -> None:
    outcome = recipes.run(case)
    if outcome.result.problem is None and outcome.dockerfile is not None:
        seen = oracle.parse(outcome.dockerfile)
        assert not seen.get("err")
        assert not seen.get("inst_err")
