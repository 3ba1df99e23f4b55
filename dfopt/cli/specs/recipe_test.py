"""The command line of `dfopt recipe test`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION

SPEC = CommandSpec(
    "recipe test",
    "dfopt.cli.recipe_test",
    "Check your recipes by golden cases: RECIPE/CASE/Dockerfile and expected files beside it.",
    (
        ArgumentSpec(
            "directory", "The directory of the cases. [default: 'golden' in the directory of recipes]", metavar="DIR"
        ),
    ),
    (
        OptionSpec("update", ("--update",), "flag", "Write the expected files anew; then read what came out."),
        *CONFIGURATION,
    ),
    order=44,
)
