"""A directory of golden cases, of passes and of recipes, each with the laws and its expected files."""

from __future__ import annotations

from pathlib import Path

from dfopt.passes.base import registered
from dfopt.recipes.load import RecipeLibrary
from dfopt.record import Record
from dfopt.stage_templates.errors import RecipeError
from dfopt.testing import golden, laws, recipes
from dfopt.testing.case_files import CaseError
from dfopt.workspace.config import ConfigLookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.testing.case_files import CaseFiles


class UnrunnableCase(Exception):
    """A case that cannot be run; the message says why."""


class Checked(Record):
    """What came of a case: laws that are broken, and expected files that differ, each in words."""

    case: golden.GoldenCase
    outcome: golden.GoldenOutcome
    laws: tuple[str, ...]
    differences: tuple[str, ...]

    def update(self) -> list[str]:
        """Writes the expected files anew; returns the names of those that changed. Raises Problem."""
        try:
            return golden.update(self.case, self.outcome)
        except CaseError as failure:
            raise UnrunnableCase(str(failure)) from None


def library_for(root: Path) -> RecipeLibrary:
    """The recipes that the configuration in force for a directory knows. Raises ConfigError."""
    config = ConfigLookup().directory(str(root))
    return RecipeLibrary(config.recipe_directories, config.recipe_root)


def check(files: CaseFiles, library: RecipeLibrary, *, passes: bool = True) -> Checked:
    """Runs a case, with the laws and their twins. `passes`: whether it may be a pass's, not only a recipe's. Raises
    Problem."""
    try:
        if passes and files.group in registered():
            case = golden.load(files)
            outcome = golden.run(case)
            broken = laws.broken_with_twins(case.source, case.options, case.facts())
        else:
            recipe_case = recipes.load(files, library)
            case, outcome = recipe_case.case, recipes.run(recipe_case)
            broken = recipes.broken_laws(recipe_case, outcome)
        return Checked(case, outcome, tuple(broken), tuple(golden.differences(case, outcome)))
    except (RecipeError, CaseError) as failure:
        raise UnrunnableCase(str(failure)) from None
