"""The command line of `dfopt cache clean`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec

SPEC = CommandSpec("cache clean", "dfopt.cli.cache_clean", "Delete cached results.", (), (), order=90)
