"""The command line of `dfopt profile`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import CONFIGURATION, CONTEXT, QUIET
from dfopt.record import replace

SPEC = CommandSpec(
    "profile",
    "dfopt.cli.profile",
    "Build a Dockerfile, run its smoke test once, and keep what was seen for 'fix', 'check', 'plan' and editors.",
    (ArgumentSpec("file", "The Dockerfile. [default: Dockerfile]", metavar="FILE"),),
    (
        OptionSpec(
            "output",
            ("--output", "-o"),
            "string",
            "Write the profile to FILE; '-' is standard output. [default: dfopt.profile beside the Dockerfile]",
            metavar="FILE",
            panel="Result",
        ),
        replace(CONTEXT, help="The build context. [default: detected, usually the Dockerfile's directory]"),
        *[option for option in ENGINE if option.name not in ("touch", "repeat", "allow")],
        *CONFIGURATION,
        QUIET,
    ),
    order=13,
)
