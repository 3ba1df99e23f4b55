"""The command line of `dfopt recipes`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec
from dfopt.cli.specs._shared import CONFIGURATION, TABLE_FORMAT

SPEC = CommandSpec(
    "recipes",
    "dfopt.cli.recipes",
    "List the recipes: dfopt's and your own ([recipes] path in the configuration).",
    (),
    (*CONFIGURATION, TABLE_FORMAT),
    order=42,
)
