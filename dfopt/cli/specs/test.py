"""The command line of `dfopt test`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec

SPEC = CommandSpec(
    "test",
    "dfopt.cli.test",
    "Test golden cases of your own passes and recipes, under the same laws as dfopt's own cases.",
    (
        ArgumentSpec(
            "directories",
            "The directories that hold PASS/CASE and PASS.md, or RECIPE/CASE and RECIPE.md. [default: golden]",
            many=True,
            metavar="DIR",
        ),
    ),
    (OptionSpec("update", ("--update",), "flag", "Rewrite the expected files; then review the diff."),),
    order=46,
)
