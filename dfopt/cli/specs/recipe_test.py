"""The command line of `dfopt recipe test`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION

SPEC = CommandSpec(
    "recipe test",
    "dfopt.cli.recipe_test",
    "Test your recipes on golden cases: directories RECIPE/CASE, or sections of RECIPE.md.",
    (
        ArgumentSpec(
            "directory", "The directory of the cases. [default: 'golden' in the recipe directory]", metavar="DIR"
        ),
    ),
    (
        OptionSpec("update", ("--update",), "flag", "Rewrite the expected files; then review the diff."),
        *CONFIGURATION,
    ),
    order=44,
)
