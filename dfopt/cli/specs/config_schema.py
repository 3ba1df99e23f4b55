"""The command line of `dfopt config schema`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec

SPEC = CommandSpec(
    "config schema",
    "dfopt.cli.config_schema",
    "Print the JSON Schema of dfopt.toml, for editors that complete and check it.",
    order=81,
)
