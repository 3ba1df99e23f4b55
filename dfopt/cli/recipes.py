"""`dfopt recipes`: the list of recipes."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.command_request import lookup_of
from dfopt.messages import json_text
from dfopt.recipes.model import Recipe, When
from dfopt.recipes.schema import DEFAULT_KIND
from dfopt.stage_templates.errors import RecipeError
from dfopt.workspace.recipes import library_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command. A recipe that cannot be read is reported, and the others are listed."""
    library = library_of(lookup_of(values).directory("."))
    recipes: list[Recipe] = []
    status = 0
    for name in library.names():
        try:
            recipes.append(library.get(name))
        except RecipeError as failure:
            out.error(str(failure))
            status = 2
    if values.output_format == "json":
        out.data(_json(recipes))
    else:
        out.text(_table(recipes))
    return status


def _table(recipes: list[Recipe]) -> str:
    rows = [("NAME", "KIND", "TIERS", "WHAT IT DOES")]
    rows += [
        (out.printable(recipe.name), recipe.kind, tiers(recipe), out.printable(recipe.description))
        for recipe in recipes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*[c.ljust(w) for c, w in zip(row, widths, strict=False)], row[3]]) for row in rows]
    return "".join(line.rstrip() + "\n" for line in lines)


def tiers(recipe: Recipe) -> str:
    """The tiers that the recipe applies; "-" if it applies nothing by itself."""
    if recipe.kind != DEFAULT_KIND:
        return "-"
    return "safe, unsafe" if recipe.takes_unsafe else "safe"


def _json(recipes: list[Recipe]) -> str:

    return json_text({"version": 1, "recipes": [as_json(recipe) for recipe in recipes]}, indent=2) + "\n"


def as_json(recipe: Recipe) -> dict[str, Any]:
    when = {key: getattr(recipe.when, key) for key in When.__fields__}
    return {
        "name": recipe.name,
        "kind": recipe.kind,
        "description": recipe.description,
        "file": recipe.file,
        "tiers": tiers(recipe).split(", "),
        "when": {key.replace("_", "-"): value for key, value in when.items() if value not in (None, ())},
        "extends": [part.name for part in recipe.parts],
        "select": list(recipe.select),
        "ignore": list(recipe.ignore),
        "passes": recipe.settings,
        "options": [
            {
                "name": option.name,
                "help": option.help,
                "default": option.default,
                "passes": list(option.passes),
                "sets": ".".join(option.target).removeprefix("*.") if option.target else None,
            }
            for option in recipe.all_options().values()
        ],
    }
