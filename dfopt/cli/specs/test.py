"""The command line of `dfopt test`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec

SPEC = CommandSpec(
    "test",
    "dfopt.cli.test",
    "Check golden cases of your own, of passes and of recipes, with the laws that hold for all of dfopt's.",
    (ArgumentSpec("directories", "Where PASS/CASE or RECIPE/CASE lie. [default: golden]", many=True, metavar="DIR"),),
    (OptionSpec("update", ("--update",), "flag", "Write the expected files anew; then read what came out."),),
    order=46,
)
