"""The command line of `dfopt verify`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import QUIET, format_option

SPEC = CommandSpec(
    "verify",
    "dfopt.cli.verify",
    "Compare two images, given as such or built from Dockerfiles.",
    (
        ArgumentSpec("before", "A Dockerfile, an image archive, or an image name.", required=True, metavar="BEFORE"),
        ArgumentSpec("after", "What to compare it with: the same choices.", required=True, metavar="AFTER"),
    ),
    (
        OptionSpec(
            "context",
            ("--context",),
            "string",
            "The build context of both. [default: the directory of BEFORE]",
            metavar="DIR",
            panel="Proof",
        ),
        *ENGINE,
        format_option("The output format.", ("text", "json"), "text"),
        QUIET,
    ),
    order=15,
)
