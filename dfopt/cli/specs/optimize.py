"""The command line of `dfopt optimize`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import QUIET, TABLE_FORMAT
from dfopt.cli.specs.fix import SPEC as FIX
from dfopt.cli.specs.history import SPEC as HISTORY

_FROM_ENGINE = ("engine", "builder", "network", "timeout", "smoke", "smoke_script", "allow")

SPEC = CommandSpec(
    "optimize",
    "dfopt.cli.optimize",
    "From a fat image to a small one with its source: rebuild it as a Dockerfile, then 'fix -O3'.",
    (
        *HISTORY.arguments,
        ArgumentSpec("rebuild", "The directory to write, which is new or empty.", required=True, metavar="DIR"),
    ),
    (
        OptionSpec(
            "base",
            ("--base",),
            "string",
            "The image that this one stands on, or 'scratch'. [default: looked for among local images]",
            metavar="IMAGE",
        ),
        *[option for option in HISTORY.options if option.name == "platform"],
        *[option for option in ENGINE if option.name in _FROM_ENGINE],
        *[option for option in FIX.options if option.name in ("budget", "budget_minutes")],
        TABLE_FORMAT,
        QUIET,
    ),
    order=16,
)
