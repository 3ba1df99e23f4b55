"""The command line of `dfopt migrate plan`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec
from dfopt.cli.specs._migrate import CAMPAIGN

SPEC = CommandSpec(
    "migrate plan",
    "dfopt.cli.migrate_plan",
    "Count what a campaign would change, save and leave alone, with the reasons. Writes nothing.",
    (ArgumentSpec("paths", "Dockerfiles, or directories to search. [default: .]", many=True, metavar="PATH"),),
    CAMPAIGN,
    order=60,
)
