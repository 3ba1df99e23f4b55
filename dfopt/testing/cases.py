"""A directory of golden cases, of passes and of recipes: `PASS/CASE/Dockerfile` or `RECIPE/CASE/Dockerfile`."""

from __future__ import annotations

from pathlib import Path

from dfopt.passes.base import registered
from dfopt.recipes.load import Library
from dfopt.record import Record
from dfopt.source import Source
from dfopt.stage_templates.errors import RecipeError
from dfopt.testing import golden, laws, recipes
from dfopt.workspace.config import Lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Problem(Exception):
    """A case that cannot be run; the message says why."""


class Checked(Record):
    """What came of a case: laws that are broken, and expected files that differ, each in words."""

    laws: tuple[str, ...]
    differences: tuple[str, ...]
    update: Callable[[], list[str]]


def library_for(root: Path) -> Library:
    """The recipes that the configuration in force for a directory knows. Raises ConfigError."""
    return Library(Lookup().directory(str(root)).recipe_directories)


def check(path: Path, root: Path, library: Library, *, passes: bool = True) -> Checked:
    """Runs the case in the directory `path` below `root`, with the laws and their twins. `passes`: whether it may be a
    pass's, not only a recipe's. Raises Problem."""
    relative = path.relative_to(root)
    try:
        if passes and len(relative.parts) == 2 and relative.parts[0] in registered():
            return _pass_case(golden.load(path))
        one = recipes.load(path, root, library)
        outcome = recipes.run(one)
        return _checked(one.case, outcome, recipes.broken_laws(one, outcome))
    except (RecipeError, golden.CaseError) as failure:
        raise Problem(str(failure)) from None


def _pass_case(case: golden.Case) -> Checked:
    facts = case.facts()
    outcome = golden.run(case)
    found = laws.all_laws(case.source, case.options, facts)
    twins = [("with CRLF newlines", laws.crlf_twin(case.source.text))]
    if outcome.result.problem is None:
        behind = laws.onbuild_twin(case.source.text)
        twins += [("behind ONBUILD", behind)] if behind is not None else []
    for name, text in twins:
        found += [f"{name}: {law}" for law in laws.all_laws(Source(case.source.name, text), case.options, facts)]
    return _checked(case, outcome, found)


def _checked(case: golden.Case, outcome: golden.Outcome, broken: list[str]) -> Checked:
    differences = tuple(golden.differences(case, outcome))
    return Checked(tuple(broken), differences, lambda: golden.update(case, outcome))
