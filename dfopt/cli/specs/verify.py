"""The command line of `dfopt verify`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import QUIET, format_option

SPEC = CommandSpec(
    "verify",
    "dfopt.cli.verify",
    "Build two Dockerfiles, or take two images, and tell how they differ.",
    (
        ArgumentSpec("before", "A Dockerfile, an image archive, or an image's name.", required=True, metavar="BEFORE"),
        ArgumentSpec("after", "The same, to hold against it.", required=True, metavar="AFTER"),
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
        format_option("The form of the output.", ("text", "json"), "text"),
        QUIET,
    ),
    order=15,
)
