"""Recipes of kind "stage": the runtime stage of a split, one file for each toolchain.

A file names the programs that identify its toolchain, the files of the build context that only the build reads, what to
look for in the sources, the image to run on, and a Jinja2 template for the stage.
"""

from __future__ import annotations

import os
import re

from dfopt.record import Record
from dfopt.stage_templates.common import COMMON
from dfopt.stage_templates.errors import RecipeError
from dfopt.stage_templates.recipe_files import SUFFIX, content_of, document, files_below, shipped_directory, shown_path
from dfopt.stage_templates.shape import Checker, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

KIND = "stage"
# How a new stage is written, unless a recipe says otherwise
TEMPLATE = """
FROM {{ image }}{{ alias }}
{% for block in settings %}
{{ block }}
{% endfor %}
{% if packages %}
RUN {{ packages }}
{% endif %}
{% for block in accounts %}
{{ block }}
{% endfor %}
{% for copy in copies %}
{% if copy.comment %}
# {{ copy.comment }}
{% endif %}
COPY {{ copy.flags }} {{ copy.paths }}
{% endfor %}
{% for command in commands %}
RUN {{ command }}
{% endfor %}
{% for block in start %}
{{ block }}
{% endfor %}
"""
# of an expression of a user's recipe: characters, and steps of finding out how its work grows
_LONGEST, _STEPS = 400, 200_000
_TIMES = {"square": "the square", "exponential": "an exponent"}
KEEPS = ("programs", "all", "site")
_STAGE = re.compile(r"""^[^\S\n]*kind\s*=\s*["']stage["']""", re.M)

RUNTIME: Mapping[str, Field] = {
    "image": Field("string", 'an image, "scratch", or "base": what the table of images gives', required=True),
    "when": Field(
        "strings",
        "what must be proved: static, exec-form, own-programs, no-temp, no-zones, no-packages; of a site: user-port"
        " (1024 and up, or not root), small-shell (a HEALTHCHECK calls what busybox has)",
    ),
}

SCAN: Mapping[str, Field] = {
    "files": Field("strings", "the sources: patterns of names of files of the build context", required=True),
    "programs": Field("strings", "expressions that find a call of another program; the first group is its name"),
    "any-program": Field("strings", "... of one whose name is not fixed"),
    "certificates": Field("strings", "... of TLS"),
    "zones": Field("strings", "... of time zones"),
    "temp": Field("strings", "... of temporary files"),
    "accounts": Field("strings", "... of names of users"),
    "loads": Field("strings", "... of libraries or code that is loaded by name at run time"),
    "writes": Field("strings", "... of files that are written, and of what the scan cannot follow"),
    "dynamic": Field("strings", "... of what keeps a program from being static"),
}

STAGE: Mapping[str, Field] = {
    "order": Field("int", "the recipe of the lower number is tried first (50)"),
    "starts": Field("strings", "programs (patterns) by which the image is started; empty: what a tool has built"),
    "tools": Field("strings", "programs that build"),
    "language": Field("string", "what the image for the run time must have"),
    "keeps": Field("choice", "what the run needs", required=True, choices=KEEPS),
    "environment": Field("strings", "ENV names (patterns) that the build alone reads"),
    "stays": Field("strings", "... except these"),
    "build-files": Field("strings", "files of the build context (patterns) that the build alone reads"),
    "scan": Field("table", "what to look for in the sources", required=True, fields=SCAN),
    "crates": Field("free", "crates that link a library -> the -dev package that has it"),
    "runtime": Field("tables", "images for the run, the first that fits", required=True, fields=RUNTIME),
    "distroless": Field("table", "the image for those who ask for distroless ones", fields=RUNTIME),
    "template": Field("string", "the stage, as a Jinja2 template; without it, the one of all toolchains"),
    "config": Field("string", "of a site: the server's configuration, as a Jinja2 template"),
    "config-path": Field("string", "... and where it is put"),
}


class StageRecipe(Record):
    """One recipe; its fields are the keys of `STAGE`."""

    name: str
    file: str
    order: int
    starts: tuple[str, ...]
    tools: tuple[str, ...]
    language: str
    keeps: str
    environment: tuple[str, ...]
    stays: tuple[str, ...]
    build_files: tuple[str, ...]
    scan: Mapping[str, tuple[str, ...]]
    crates: Mapping[str, Any]
    runtimes: tuple[Mapping[str, Any], ...]
    distroless: Mapping[str, Any] | None
    template: str
    config: str = ""
    config_path: str = ""


_recipes: dict[tuple[str, ...], tuple[StageRecipe, ...]] = {}


def stage_recipes(user_texts: tuple[str, ...] = ()) -> tuple[StageRecipe, ...]:
    """The recipes of stages, in the order in which they are tried. `user_texts`: file and text,
    alternating, of the user's, which precede those of dfopt with the same order and replace those with the same name.
    Raises RecipeError."""
    if user_texts not in _recipes:
        recipes: dict[str, StageRecipe] = {}
        for file, text in zip(user_texts[::2], user_texts[1::2], strict=True):
            _take(recipes, file, text.encode())
        for recipe in recipes.values():
            _check_expressions(recipe)
        users = set(recipes)
        for path in files_below(os.path.join(shipped_directory(), "multi-stage")):
            display_path = shown_path(path)
            _take(recipes, display_path, content_of(path, display_path))
        order = sorted((recipe.order, recipe.name not in users, recipe.name) for recipe in recipes.values())
        _recipes[user_texts] = tuple(recipes[name] for _, _, name in order)
    return _recipes[user_texts]


def stage_texts(directories: Sequence[str], root: str | None = None) -> tuple[str, ...]:
    """File and text, alternating, of the stage recipes in the user's directories, as an option for the pass
    multi-stage. Files that are unreadable or outside of `root` are left out; `dfopt recipes` reports them."""
    texts: list[str] = []
    for directory in directories:
        for path in files_below(directory):
            try:
                text = content_of(path, path, root).decode("utf-8")
            except (RecipeError, UnicodeDecodeError):
                continue
            if _STAGE.search(text):
                texts += [shown_path(path), text]
    return tuple(texts)


def _take(recipes: dict[str, StageRecipe], file: str, content: bytes) -> None:
    """Reads a file; a recipe of a stage joins `recipes`, unless one has its name. Raises RecipeError."""
    text, table = document(content, file)
    if table.get("kind") == KIND:
        name = os.path.basename(file).removesuffix(SUFFIX)
        recipes.setdefault(name, _stage(name, file, Checker(file, text).table(table, {**COMMON, **STAGE})))


def _stage(name: str, file: str, table: Mapping[str, Any]) -> StageRecipe:
    return StageRecipe(
        name, file, table.get("order", 50), table.get("starts", ()), table.get("tools", ()), table.get("language", ""),
        table["keeps"], table.get("environment", ()), table.get("stays", ()), table.get("build-files", ()),
        table["scan"], table.get("crates", {}), table["runtime"], table.get("distroless"),
        table.get("template", TEMPLATE), table.get("config", ""), table.get("config-path", ""),
    )  # fmt: skip


def _check_expressions(recipe: StageRecipe) -> None:
    """Whether the sources of a repository may be searched for what its recipe says: in time that grows with their
    length alone. Raises RecipeError."""
    from dfopt.syntax.ambiguity import TooLargeError, growth

    for key, expressions in recipe.scan.items():
        for expression in expressions if key != "files" else ():
            where = f"{recipe.file}: scan.{key}: {expression[:60]!r}"
            if len(expression) > _LONGEST:
                raise RecipeError(f"{where} is longer than {_LONGEST} characters")
            try:
                re.compile(expression)
                degree, _, text = growth(expression, 0, "search", _STEPS)
            except (re.error, OverflowError) as error:
                raise RecipeError(f"{where}: {error}") from None
            except (TooLargeError, RecursionError):
                raise RecipeError(f"{where} is too large") from None
            if degree:
                raise RecipeError(f"{where} would take {_TIMES[degree]} of time where a text repeats {text[:40]!r}")


class CopyLine(Record):
    """One COPY of the new stage, as a template writes it."""

    flags: str
    paths: str
    comment: str = ""


def stage_text(recipe: StageRecipe, values: Mapping[str, Any]) -> str:
    """The new stage. `values`: image, alias (" AS name" or ""), settings, accounts, start (texts of instructions, with
    their comments), packages (a shell command or ""), copies (CopyLine), commands (shell commands that run after
    the copies), config and config_path (of a site; else ""). Raises RecipeError."""
    from dfopt.stage_templates.templates import render

    return render(recipe.template, values, recipe.file).strip("\n") + "\n"


def config_text(recipe: StageRecipe, values: Mapping[str, Any]) -> str:
    """The server's configuration. `values`: site (`servers.StaticSite`, with the keys of `answers`).
    Raises RecipeError."""
    from dfopt.stage_templates.templates import render

    return render(recipe.config, values, recipe.file, "config").strip("\n") + "\n"
