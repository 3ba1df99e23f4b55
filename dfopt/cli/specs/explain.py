"""The command line of `dfopt explain`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec

SPEC = CommandSpec(
    "explain",
    "dfopt.cli.explain",
    "Print the documentation of a pass.",
    (
        ArgumentSpec(
            "name",
            "A pass, or the code of another tool's rule that passes implement (DL3009).",
            required=True,
            metavar="PASS",
        ),
    ),
    order=30,
)
