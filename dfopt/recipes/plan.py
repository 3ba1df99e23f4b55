"""From recipes to the optimizer's options for one file."""

from __future__ import annotations

from dfopt.facts import NO_FACTS
from dfopt.ir.program import Program
from dfopt.messages import suggestion
from dfopt.optimizer import Optimizer
from dfopt.pass_selection import Options
from dfopt.passes.base import registered
from dfopt.passes.index import selects
from dfopt.recipes.conditions import unmet
from dfopt.recipes.load import options_of_pass, setting_problem
from dfopt.recipes.model import When
from dfopt.recipes.schema import DEFAULT_KIND
from dfopt.record import Record, replace
from dfopt.results import Reported
from dfopt.stage_templates.errors import RecipeError
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.optimizer import Observer
    from dfopt.passes.base import Option
    from dfopt.recipes.model import Recipe, RecipeOption
    from dfopt.results import Result
    from dfopt.source import Source

_NOTHING = When()


class RecipeChoice(Record):
    """What recipes make of one file: passes by name, their settings, and for each recipe that leaves the file alone,
    its name and why."""

    passes: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]
    unmet: tuple[tuple[str, str], ...]


class RecipePlan(Record):
    """Recipes to run together.

    recipes   of the kind "passes"
    values    values of their options, as `option_values` makes them
    select    names, groups or codes that the caller adds
    ignore    names, groups or codes that the caller takes away
    unsafe    whether unsafe fixes are taken; None: where one of the recipes says so
    settings  the caller's own settings of passes, which win over those that the recipes write
    """

    recipes: tuple[Recipe, ...]
    values: Mapping[str, Any] = {}
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool | None = None
    settings: Mapping[str, Mapping[str, Any]] = {}

    def optimize(
        self,
        source: Source,
        facts: Facts | None = None,
        only: Container[tuple[str, int]] | None = None,
        observer: Observer | None = None,
    ) -> Result:
        """As `Optimizer.run`. A recipe whose preconditions do not hold is reported as a refusal."""
        facts = facts or NO_FACTS
        choice = self.choose(source.text, facts)
        optimizer = self.optimizer(choice) if observer is None else Optimizer(self.options(choice), observer)
        result = optimizer.run(source, facts, only)
        if not choice.unmet or result.problem is not None:
            return result
        reports = [
            Reported(f"recipe {name}", "suggestion", "the recipe leaves this file alone", 0, 0, False, why)
            for name, why in choice.unmet
        ]
        changed: Result = replace(result, reported=(*result.reported, *reports))
        return changed

    def choose(self, text: str, facts: Facts) -> RecipeChoice:
        """What the recipes make of a file's text. One that cannot be parsed gets every pass: the optimizer will say
        what is wrong."""
        program: Program | None = None
        if any(_has_conditions(recipe) for recipe in self.recipes):
            try:
                program = Program(parse(text))
            except DockerfileError:
                program = None
        selected: set[str] = set()
        perhaps: set[str] = set()
        settings: dict[str, dict[str, Any]] = {}
        skipped: list[tuple[str, str]] = []
        for recipe in self.recipes:
            self._collect(recipe, program, facts, (selected, perhaps), settings, skipped)
        for option in options_of(self.recipes).values():
            value = self.values.get(option.name, option.default)
            if option.target is None and not value:
                selected.difference_update(option.passes)
            elif option.target is not None and option.name not in self.values and value is not None:
                settings.setdefault(option.target[0], {})[option.target[1]] = value
        _merge(settings, self.settings)
        for option in options_of(self.recipes).values():
            if option.target is not None and option.name in self.values:
                settings.setdefault(option.target[0], {})[option.target[1]] = self.values[option.name]
        passes = registered()
        for name in perhaps:
            setting, value = passes[name].strategy or ("", "")
            if settings.get("*", {}).get(setting) == value:
                selected.add(name)
        for word in self.select:
            selected.update(name for name, cls in passes.items() if selects(word.lower(), cls))
        ordered = tuple(name for name in passes if name in selected)
        return RecipeChoice(ordered, settings, tuple(dict.fromkeys(skipped)))

    def options(self, choice: RecipeChoice) -> Options:
        """The optimizer's options."""
        return Options(choice.passes, self.ignore if choice.passes else ("all",), self.tiers, choice.settings)

    def optimizer(self, choice: RecipeChoice) -> Optimizer:
        """The optimizer; one for the same choice, so that passes are made once."""
        key = repr((choice.passes, sorted(choice.settings.items()), self.ignore, self.tiers))
        optimizer = _optimizers.get(key)
        if optimizer is None:
            optimizer = _optimizers[key] = Optimizer(self.options(choice))
        return optimizer

    @property
    def tiers(self) -> tuple[str, ...]:
        unsafe = self.unsafe if self.unsafe is not None else any(recipe.takes_unsafe for recipe in self.recipes)
        return ("safe", "unsafe") if unsafe else ("safe",)

    def _collect(
        self,
        recipe: Recipe,
        program: Program | None,
        facts: Facts,
        passes: tuple[set[str], set[str]],
        settings: dict[str, dict[str, Any]],
        skipped: list[tuple[str, str]],
    ) -> None:
        why = unmet(recipe.when, program, facts) if program is not None and recipe.when != _NOTHING else ""
        if why:
            skipped.append((recipe.name, why))
            return
        own_names: tuple[set[str], set[str]] = (set(), set())
        for part in recipe.parts:
            self._collect(part, program, facts, own_names, settings, skipped)
        for all_of_them, here, names in zip(passes, own_names, (recipe.select, recipe.perhaps), strict=True):
            here.update(names)
            here.difference_update(recipe.ignore)
            all_of_them |= here
        _merge(settings, recipe.settings)


_optimizers: dict[str, Optimizer] = {}


def _has_conditions(recipe: Recipe) -> bool:
    return recipe.when != _NOTHING or any(_has_conditions(part) for part in recipe.parts)


def _merge(into: dict[str, dict[str, Any]], other: Mapping[str, Mapping[str, Any]]) -> None:
    for name, table in other.items():
        into.setdefault(name, {}).update(table)


def options_of(recipes: Iterable[Recipe]) -> dict[str, RecipeOption]:
    """The options of several recipes, by name; the later recipe's wins."""
    options: dict[str, RecipeOption] = {}
    for recipe in recipes:
        options.update(recipe.all_options())
    return options


def check_kind(recipe: Recipe) -> Recipe:
    """The recipe, where it is one of passes. Raises RecipeError."""
    if recipe.kind != DEFAULT_KIND:
        raise RecipeError(
            f'"{recipe.name}" is a recipe of the kind "{recipe.kind}", for the pass of that name', recipe.file
        )
    return recipe


def option_values(recipes: Sequence[Recipe], assignments: Iterable[str]) -> dict[str, Any]:
    """The values of recipes' options from texts `NAME=VALUE`, VALUE being a word as it is; true or false for a switch;
    words with commas between for a list. Raises RecipeError."""
    values: dict[str, Any] = {}
    for text in assignments:
        name, equals, word = text.partition("=")
        if not equals:
            raise RecipeError(f'"{text}" is not NAME=VALUE')
        option = _option(recipes, name)
        pass_option = _of_pass(option)
        kind = "bool" if pass_option is None else pass_option.kind
        value: Any = word
        if kind == "bool":
            value = {"true": True, "false": False}.get(word.lower(), word)
        elif kind == "int":
            value = int(word) if word.isascii() and word.isdigit() else word
        elif kind == "strings":
            value = tuple(part for part in word.split(",") if part)
        values.update(checked_values(recipes, {name: value}))
    return values


def checked_values(recipes: Sequence[Recipe], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of recipes' options, each of its type. Raises RecipeError."""
    for name, value in values.items():
        pass_option = _of_pass(_option(recipes, name))
        if pass_option is not None:
            problem = setting_problem(value, pass_option)
        else:
            problem = "" if isinstance(value, bool) else "must be true or false"
        if problem:
            raise RecipeError(f'option "{name}" {problem}, not "{value}"')
    return dict(values)


def _option(recipes: Sequence[Recipe], name: str) -> RecipeOption:
    options = options_of(recipes)
    if name not in options:
        hint = suggestion(name, options) or (f" (known: {', '.join(options)})" if options else "")
        raise RecipeError(f'no option "{name}" in the recipe{hint}')
    return options[name]


def _of_pass(option: RecipeOption) -> Option | None:
    """The option of a pass that it sets; None for a switch."""
    if option.target is None:
        return None
    name, key = option.target
    return next(candidate for candidate in options_of_pass(name) if candidate.name == key)
