"""The command line of `dfopt cache clean`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec

SPEC = CommandSpec("cache clean", "dfopt.cli.cache_clean", "Delete the cache of results.", (), (), order=90)
