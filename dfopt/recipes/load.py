"""Finding, reading and checking recipe files."""

from __future__ import annotations

import os
import re

from dfopt.files import is_inside
from dfopt.messages import suggestion
from dfopt.passes.base import GROUPS, SHARED, registered
from dfopt.passes.index import selects
from dfopt.recipes.model import Recipe, RecipeOption, When
from dfopt.recipes.schema import DEFAULT_KIND, KINDS
from dfopt.stage_templates.errors import RecipeError
from dfopt.stage_templates.recipe_files import SUFFIX, content_of, document, files_below, shipped_directory, shown_path
from dfopt.stage_templates.shape import Checker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dfopt.passes.base import Option
    from dfopt.toml import Key

_NAME = re.compile(r"[\w][\w.-]*(?:/[\w][\w.-]*)*\Z")


class RecipeLibrary:
    """Recipes by name: the user's directories first, in order, then what is shipped. Each file is read once. `root`:
    the directory that the user's must lie in, links resolved, unless the command line names them; None: anywhere."""

    def __init__(self, directories: Sequence[str] = (), root: str | None = None) -> None:
        self.directories = (*directories, shipped_directory())
        self.root = root
        self._read: dict[str, Recipe] = {}

    def names(self) -> dict[str, str]:
        """Name -> path of every recipe; a user's recipe hides one of dfopt's with the same name. A directory that
        cannot be read has none."""
        paths: dict[str, str] = {}
        for directory in self.directories:
            for path in files_below(directory):
                name = os.path.relpath(path, directory)[: -len(SUFFIX)].replace(os.sep, "/")
                paths.setdefault(name, path)
        return dict(sorted(paths.items()))

    def get(self, word: str) -> Recipe:
        """The recipe with a name, or at a path that ends in ".toml". Raises RecipeError."""
        return self._get(word, "", ())

    def _get(self, word: str, beside: str, above: tuple[str, ...]) -> Recipe:
        """`beside`: the directory of the file that refers to it, "" for none. `above`: the files that extend it."""
        if word.endswith(SUFFIX):
            path = os.path.join(beside, os.path.expanduser(word))
            name = os.path.basename(word)[: -len(SUFFIX)]
            if not os.path.isfile(path):
                raise RecipeError(f'no such file: "{word}"')
        else:
            path, name = self._path_of(word, beside), word
        real = os.path.realpath(path)
        if real in above:
            raise RecipeError("recipes extend each other in a circle")
        if real not in self._read:
            from_command_line = word.endswith(SUFFIX) and not beside  # a path of the command line's
            root = None if from_command_line or is_inside(real, shipped_directory()) else self.root
            self._read[real] = self._load(path, name, (*above, real), root)
        return self._read[real]

    def _path_of(self, name: str, beside: str) -> str:
        if _NAME.match(name):
            for directory in (*((beside,) if beside else ()), *self.directories):
                path = os.path.join(directory, *name.split("/")) + SUFFIX
                if os.path.isfile(path):
                    return path
        names = self.names()
        hint = suggestion(name, names) or (f" (known: {', '.join(names)})" if names else "")
        raise RecipeError(f'unknown recipe "{name}"{hint}')

    def _load(self, path: str, name: str, above: tuple[str, ...], root: str | None) -> Recipe:
        display_path = shown_path(path)
        return self._recipe(name, display_path, content_of(path, display_path, root), os.path.dirname(path), above)

    def _recipe(self, name: str, display_path: str, content: bytes, beside: str, above: tuple[str, ...]) -> Recipe:
        text, table = document(content, display_path)
        checker = Checker(display_path, text)
        kind = table.get("kind", DEFAULT_KIND)
        if not isinstance(kind, str) or kind not in KINDS:
            raise checker.unknown("kind", str(kind), tuple(KINDS), ("kind",))
        checked = checker.table(table, KINDS[kind])
        parts: list[Recipe] = []
        for number, word in enumerate(checked.get("extends", ())):
            try:
                parts.append(self._get(word, beside, above))
            except RecipeError as failure:
                if failure.file:
                    raise
                raise checker.error(failure.message, ("extends", number)) from None
        when = When(**{key.replace("-", "_"): value for key, value in checked.get("when", {}).items()})
        if kind != DEFAULT_KIND:
            return Recipe(name, display_path, kind, checked["description"], when, (), (), (), (), None, {}, {}, checked)
        reader = _PassesReader(checker, tuple(parts))
        if not parts and not checked.get("select"):
            raise checker.error("it selects no pass and extends no recipe")
        return Recipe(
            name, display_path, kind, checked["description"], when, tuple(parts),
            reader.passes(checked.get("select", ()), ("select",)), reader.perhaps(checked.get("select", ())),
            (*reader.passes(checked.get("ignore", ()), ("ignore",)), *reader.perhaps(checked.get("ignore", ()))),
            checked.get("unsafe"), reader.settings(checked),
            reader.options(checked.get("options", {})), checked,
        )  # fmt: skip


class _PassesReader:
    """Reads the passes and options of a recipe."""

    def __init__(self, checker: Checker, parts: tuple[Recipe, ...]) -> None:
        self.checker = checker
        self.parts = parts
        self.registered = registered()

    def passes(self, words: Sequence[str], key: Key) -> tuple[str, ...]:
        """The names of the passes that the words select, in running order; passes that a setting enables only if
        selected by name."""
        selected: set[str] = set()
        for number, word in enumerate(words):
            matches = {name for name, cls in self.registered.items() if selects(word.lower(), cls)}
            if not matches:
                codes = [code for cls in self.registered.values() for code in cls.codes]
                if word.lower() in GROUPS or word in codes:
                    continue
                hint = suggestion(word, ["all", *GROUPS, *self.registered, *codes])
                raise self.checker.error(f'unknown pass, group or code "{word}"{hint}', (*key, number))
            selected |= {name for name in matches if self.registered[name].strategy is None or name == word.lower()}
        return tuple(name for name in self.registered if name in selected)

    def perhaps(self, words: Sequence[str]) -> tuple[str, ...]:
        """The passes among those that the words select that run only if a setting enables them."""
        return tuple(
            name
            for name, cls in self.registered.items()
            if cls.strategy is not None and any(selects(word.lower(), cls) for word in words)
        )

    def settings(self, table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        settings: dict[str, dict[str, Any]] = {}
        shared = {option.name: table[option.name] for option in SHARED if option.name in table}
        if shared:
            settings["*"] = shared
        for name, options in table.get("passes", {}).items():
            if name not in self.registered:
                raise self.checker.unknown("pass", name, tuple(self.registered), ("passes", name))
            if not isinstance(options, dict):
                raise self.checker.error("must be a table", ("passes", name))
            for key, value in options.items():
                where: Key = ("passes", name, key)
                option = next((candidate for candidate in self.registered[name].options if candidate.name == key), None)
                if option is None:
                    names = tuple(candidate.name for candidate in self.registered[name].options)
                    raise self.checker.unknown("option", key, names, where)
                settings.setdefault(name, {})[key] = self.setting(value, option, where)
        return settings

    def setting(self, value: Any, option: Option, where: Key) -> Any:
        problem = setting_problem(value, option)
        if problem:
            raise self.checker.error(problem, where)
        return tuple(value) if isinstance(value, list) else value

    def options(self, table: Mapping[str, Any]) -> dict[str, RecipeOption]:
        result: dict[str, RecipeOption] = {}
        for name, row in table.items():
            where: Key = ("options", name)
            if ("passes" in row) == ("sets" in row):
                raise self.checker.error('it has either "passes" or "sets"', where)
            default = row.get("default")
            if "passes" in row:
                default = True if default is None else default
                if not isinstance(default, bool):
                    raise self.checker.error("a switch is true or false", (*where, "default"))
                names = self.passes(row["passes"], (*where, "passes"))
                result[name] = RecipeOption(name, row["help"], default, names)
                continue
            target, key = target_of(row["sets"])
            options = {option.name: option for option in options_of_pass(target)}
            if key not in options:
                every = [
                    f"{pass_name}.{option.name}" for pass_name, cls in self.registered.items() for option in cls.options
                ]
                every += [option.name for option in SHARED]
                hint = suggestion(row["sets"], every)
                raise self.checker.error(f'no pass has the option "{row["sets"]}"{hint}', (*where, "sets"))
            if default is not None:
                default = self.setting(default, options[key], (*where, "default"))
            result[name] = RecipeOption(name, row["help"], default, (), (target, key))
        return result


def target_of(text: str) -> tuple[str, str]:
    """(pass, option) of `PASS.OPTION`; ("*", option) of a setting shared by all passes."""
    name, dot, key = text.partition(".")
    return (name, key) if dot else ("*", name)


def options_of_pass(name: str) -> tuple[Option, ...]:
    """The options of a pass; the shared settings for "*"; none for an unknown name."""
    if name == "*":
        return SHARED
    passes = registered()
    return passes[name].options if name in passes else ()


def setting_problem(value: Any, option: Option) -> str:
    """Why a value is invalid for an option of a pass; "" if it is valid."""
    if option.kind == "strings":
        good = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        return "" if good else "must be a list of strings"
    if option.kind == "bool":
        return "" if isinstance(value, bool) else "must be true or false"
    if option.kind == "int":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"
    if not isinstance(value, str):
        return "must be a string"
    if option.kind == "choice" and value not in option.choices:
        return f"must be one of {', '.join(option.choices)}"
    return ""
