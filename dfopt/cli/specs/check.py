"""The command line of `dfopt check`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CACHE, CONFIGURATION, DIGESTS, FILES, OUTPUT, PATHS, SELECTION, format_option

SPEC = CommandSpec(
    "check",
    "dfopt.cli.check",
    "List findings: what 'fix' would do, what it needs leave for, and what is left to you.",
    (PATHS,),
    (
        OptionSpec(
            "statistics", ("--statistics",), "flag", "Print how often each pass found something.", panel="Result"
        ),
        OptionSpec("watch", ("--watch",), "flag", "Look again whenever a file changes.", panel="Result"),
        OptionSpec(
            "baseline",
            ("--baseline",),
            "string",
            "Be silent about findings that FILE knows, by file, pass and number.",
            metavar="FILE",
            panel="Result",
        ),
        OptionSpec(
            "update_baseline",
            ("--update-baseline",),
            "flag",
            "Write what is found now into the baseline; drop what is gone.",
            panel="Result",
        ),
        *SELECTION,
        *DIGESTS,
        *FILES,
        *CACHE,
        *CONFIGURATION,
        format_option("The form of the output."),
        *OUTPUT,
    ),
    order=20,
)
