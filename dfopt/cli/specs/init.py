"""The command line of `dfopt init`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec
from dfopt.cli.specs.config_import import FORCE

SPEC = CommandSpec(
    "init",
    "dfopt.cli.init",
    "Write a first dfopt.toml and a baseline of today's findings; change nothing else.",
    (ArgumentSpec("directory", "The directory of the project. [default: .]", metavar="DIRECTORY"),),
    (FORCE,),
    order=78,
)
