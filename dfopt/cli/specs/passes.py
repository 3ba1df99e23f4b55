"""The command line of `dfopt passes`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec
from dfopt.cli.specs._shared import TABLE_FORMAT

SPEC = CommandSpec(
    "passes",
    "dfopt.cli.passes",
    "List the passes.",
    (),
    (TABLE_FORMAT,),
    order=40,
)
