"""The command line of `dfopt check`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec
from dfopt.cli.specs._shared import CACHE, CONFIGURATION, DIGESTS, FILES, OUTPUT, PATHS, SELECTION, format_option

SPEC = CommandSpec(
    "check",
    "dfopt.cli.check",
    "List findings: what 'fix' would do, what it needs leave for, and what is left to you.",
    (PATHS,),
    (*SELECTION, *DIGESTS, *FILES, *CACHE, *CONFIGURATION, format_option("The form of the output."), *OUTPUT),
    order=20,
)
