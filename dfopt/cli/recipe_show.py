"""`dfopt recipe show RECIPE`: what a recipe does."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.cli.explain import shown
from dfopt.cli.recipes import as_json, tiers
from dfopt.messages import json_text
from dfopt.passes.base import registered
from dfopt.recipes.load import options_of_pass
from dfopt.recipes.schema import DEFAULT_KIND
from dfopt.stage_templates.common import WHEN
from dfopt.stage_templates.errors import RecipeError
from dfopt.workspace.recipes import library_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.cli.options import Values
    from dfopt.recipes.model import Recipe, RecipeOption


def run(values: Values) -> int:
    """Runs the command. Raises UsageError for a recipe that does not exist or cannot be read."""
    library = library_of(lookup_of(values).directory("."))
    try:
        recipe = library.get(values.name)
    except RecipeError as failure:
        raise UsageError(str(failure)) from None
    if values.output_format == "json":
        out.data(json_text({"version": 1, "recipe": as_json(recipe)}, indent=2) + "\n")
    else:
        out.text("".join(line.rstrip() + "\n" for line in _page(recipe)))
    return 0


def _page(recipe: Recipe) -> Iterator[str]:
    kind = "" if recipe.kind == DEFAULT_KIND else f"; kind {recipe.kind}"
    yield f"{recipe.name} ({tiers(recipe)}{kind}; {recipe.file})"
    yield ""
    yield recipe.description
    yield from _part(recipe, "")
    options = recipe.all_options()
    if options:
        yield ""
        yield "Options (--set NAME=VALUE):"
        for option in options.values():
            yield f"    {option.name} = {shown(_default(option))}"
            yield f"        {option.help}"


def _part(recipe: Recipe, indent: str) -> Iterator[str]:
    conditions = {
        key: value for key in WHEN if (value := getattr(recipe.when, key.replace("-", "_"))) not in (None, ())
    }
    if conditions:
        yield ""
        yield f"{indent}Only where:"
        for key, value in conditions.items():
            words = ", ".join(value) if isinstance(value, tuple) else value
            yield f"{indent}    {WHEN[key].help}: {words}"
    if recipe.select:
        yield ""
        yield f"{indent}Passes:"
        passes = registered()
        width = max(len(name) for name in recipe.select)
        for name in recipe.select:
            if name not in recipe.ignore:
                yield f"{indent}    {name.ljust(width)}  {passes[name].group}"
    for part in recipe.parts:
        less = f" (without {', '.join(recipe.ignore)})" if recipe.ignore else ""
        yield ""
        yield f"{indent}From {part.name}{less}:"
        yield from _part(part, indent + "    ")


def _default(option: RecipeOption) -> object:
    if option.default is not None or option.target is None:
        return option.default
    name, key = option.target
    return next(candidate.default for candidate in options_of_pass(name) if candidate.name == key)
