"""The command line of `dfopt recipe show`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec
from dfopt.cli.specs._shared import CONFIGURATION, TABLE_FORMAT

SPEC = CommandSpec(
    "recipe show",
    "dfopt.cli.recipe_show",
    "Print what a recipe does: passes, options, preconditions.",
    (ArgumentSpec("name", "A recipe, or a recipe file (NAME.toml).", required=True, metavar="RECIPE"),),
    (*CONFIGURATION, TABLE_FORMAT),
    order=43,
)
