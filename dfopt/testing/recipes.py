"""Golden cases of recipes: RECIPE/CASE/Dockerfile below a directory, or the section CASE of RECIPE.md.

`case.toml` may give `set` (values of the recipe's options), `ignore` and `unsafe`; the other files are those of
`golden`. The laws are those of passes: the recipe's outcome must parse, settle, and consist of gated changes alone.
"""

from __future__ import annotations

from dfopt.recipes.plan import RecipePlan, check_kind, checked_values
from dfopt.record import Record
from dfopt.source import Source
from dfopt.stage_templates.errors import RecipeError
from dfopt.testing import golden, laws
from dfopt.testing.case_files import CaseError
from dfopt.testing.facts import CaseFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.recipes.load import RecipeLibrary
    from dfopt.testing.case_files import CaseFiles


class RecipeCase(Record):
    """One case: the plan of its recipe, and the golden case of its files."""

    plan: RecipePlan
    case: golden.GoldenCase


def load(files: CaseFiles, library: RecipeLibrary) -> RecipeCase:
    """The case of a recipe. Raises CaseError, RecipeError (of its recipe)."""
    recipe = check_kind(library.get(files.group))
    settings = files.table("case.toml")
    given = settings.pop("set", {})
    if not isinstance(given, dict):
        raise CaseError(f"{files.where('case.toml')}: set: must be a table")
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    ignore, unsafe = golden.strings(files, settings, "ignore"), settings.pop("unsafe", None)
    if settings:
        raise CaseError(f"{files.where('case.toml')}: unknown keys: {', '.join(sorted(settings))}")
    try:
        plan = RecipePlan((recipe,), checked_values((recipe,), values), (), ignore, unsafe)
    except RecipeError as failure:
        raise CaseError(f"{files.where('case.toml')}: set: {failure.message}") from None
    source = golden.source_of(files)
    options = plan.options(plan.choose(source.text, CaseFacts(files)))
    return RecipeCase(plan, golden.GoldenCase(files, source, options))


def run(recipe_case: RecipeCase) -> golden.GoldenOutcome:
    """What the recipe makes of the case."""
    case = recipe_case.case
    return golden.outcome_of(case, recipe_case.plan.optimize(case.source, case.facts()))


def broken_laws(recipe_case: RecipeCase, outcome: golden.GoldenOutcome) -> list[str]:
    """The laws that do not hold, in words."""
    plan, case = recipe_case.plan, recipe_case.case
    broken = laws.broken_with_twins(case.source, case.options, case.facts())
    again = plan.optimize(Source(case.source.name, outcome.result.output), case.facts())
    if again.changed and not any("second run" in law for law in broken):
        broken.append("a second run of the recipe changes the file again")
    return broken
