"""The command line of `dfopt config show`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec
from dfopt.cli.specs._shared import CONFIGURATION, TABLE_FORMAT

SPEC = CommandSpec(
    "config show",
    "dfopt.cli.config_show",
    "Print the configuration that applies to a file or directory, with the origin of each value.",
    (ArgumentSpec("path", "A file or directory. [default: .]", metavar="PATH"),),
    (*CONFIGURATION, TABLE_FORMAT),
    order=80,
)
