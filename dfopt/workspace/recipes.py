"""The recipes that a configuration knows, and the plan that some of them make for its files."""

from __future__ import annotations

from dfopt.recipes.load import RecipeLibrary
from dfopt.recipes.plan import RecipePlan, check_kind, checked_values, option_values
from dfopt.stage_templates.errors import RecipeError
from dfopt.workspace.config_location import place_of_setting
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.recipes.model import Recipe
    from dfopt.workspace.config import Config


def library_of(config: Config) -> RecipeLibrary:
    """The recipes that a configuration knows."""
    return RecipeLibrary(config.recipe_directories, config.recipe_root)


def plan_of(
    config: Config, words: tuple[str, ...], from_command_line: bool, set: tuple[str, ...], select: tuple[str, ...],
    ignore: tuple[str, ...], unsafe: bool | None, passes: Mapping[str, Mapping[str, Any]],
) -> RecipePlan:  # fmt: skip
    """The recipes `words` with their options, for files with a configuration. `from_command_line`: the user names
    them, not the configuration; `set`, `select`, `ignore`, `unsafe`: what the user says beside it; `passes`: all
    passes' options. Raises ConfigError."""
    library = library_of(config)
    recipes = tuple(_named(library, config, from_command_line, word) for word in words)
    values: dict[str, Any] = {}
    options = config.recipe_options
    for recipe in _all(recipes):
        for option, value in options.get(recipe.name, {}).items():
            try:
                values.update(checked_values((recipe,), {option: value}))
            except RecipeError as failure:
                setting = config.settings[f"recipes.options.{recipe.name}.{option}"]
                raise ConfigError(failure.message, place_of_setting(setting)) from None
    try:
        values.update(option_values(recipes, set))
    except RecipeError as failure:
        raise ConfigError(failure.message, "--set") from None
    tiers = unsafe if unsafe is not None else config.get("unsafe")
    return RecipePlan(recipes, values, select, (*config.get("ignore", ()), *ignore), tiers, passes)


def _named(library: RecipeLibrary, config: Config, from_command_line: bool, word: str) -> Recipe:
    try:
        return check_kind(library.get(word))
    except RecipeError as failure:
        place = "--recipe" if from_command_line else place_of_setting(config.settings["recipes.use"])
        raise ConfigError(str(failure), place) from None


def _all(recipes: tuple[Recipe, ...]) -> list[Recipe]:
    with_parts: list[Recipe] = []
    for recipe in recipes:
        with_parts += [*_all(recipe.parts), recipe]
    return with_parts
