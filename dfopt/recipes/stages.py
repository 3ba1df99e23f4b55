"""Recipes of kind "stage": what the run-time stage of a split looks like, for one toolchain each.

A file says by which programs its toolchain is known, which files of the build context the build alone reads, what to
look for in the sources, on which image the result runs, and as a Jinja2 template how the stage is written.
"""

from __future__ import annotations

from dfopt.recipes.shape import Field
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

KEEPS = ("programs", "all", "site")

RUNTIME: Mapping[str, Field] = {
    "image": Field("string", 'an image, "scratch", or "base": what the table of images gives', required=True),
    "when": Field("strings", "what must be proved: static, exec-form, own-programs, no-temp, no-zones, no-packages"),
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
    "template": Field("string", "the stage, as a Jinja2 template", required=True),
}


class StageRecipe(Record):
    """One recipe; the fields are the keys of `STAGE`."""

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


_recipes: dict[tuple[str, ...], tuple[StageRecipe, ...]] = {}


def stage_recipes(own: tuple[str, ...] = ()) -> tuple[StageRecipe, ...]:
    """The recipes of stages, in the order in which they are tried. `own`: file and text, in turn, of the user's, which
    go before those of dfopt with the same order, and in the place of one with the same name. Raises RecipeError."""
    if own not in _recipes:
        from dfopt.recipes.load import Library

        library = Library()
        found: dict[str, StageRecipe] = {}
        for file, text in zip(own[::2], own[1::2], strict=True):
            name = file.rpartition("/")[2].removesuffix(".toml")
            made = library.made(name, file, text.encode())
            if made.kind == "stage":
                found.setdefault(name, _stage(name, file, made.table))
        mine = set(found)
        for name in library.names():
            if name.startswith("multi-stage/"):
                recipe = library.get(name)
                last = name.rpartition("/")[2]
                if recipe.kind == "stage":
                    found.setdefault(last, _stage(last, recipe.file, recipe.table))
        _recipes[own] = tuple(sorted(found.values(), key=lambda one: (one.order, one.name not in mine, one.name)))
    return _recipes[own]


def _stage(name: str, file: str, table: Mapping[str, Any]) -> StageRecipe:
    return StageRecipe(
        name, file, table.get("order", 50), table.get("starts", ()), table.get("tools", ()), table.get("language", ""),
        table["keeps"], table.get("environment", ()), table.get("stays", ()), table.get("build-files", ()),
        table["scan"], table.get("crates", {}), table["runtime"], table.get("distroless"), table["template"],
    )  # fmt: skip


class CopyLine(Record):
    """One COPY of the new stage, as a template writes it."""

    flags: str
    paths: str


def stage_text(recipe: StageRecipe, values: Mapping[str, Any]) -> str:
    """The new stage. `values`: image, alias (" AS name" or ""), settings, accounts, start (texts of instructions, with
    their comments), packages (a shell command or ""), copies (CopyLine), links (whether `ldconfig` is to run).
    Raises RecipeError."""
    from dfopt.recipes.templates import render

    return render(recipe.template, values, recipe.file).strip("\n") + "\n"
