"""The command line of `dfopt check`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._shared import (
    CACHE,
    CONFIGURATION,
    DIGESTS,
    FAIL_ON,
    FILES,
    OUTPUT,
    PATHS,
    PROFILE,
    SELECTION,
    TRACE,
    format_option,
)

SPEC = CommandSpec(
    "check",
    "dfopt.cli.check",
    "List findings: what 'fix' would do, what needs --unsafe, and what is left to you.",
    (PATHS,),
    (
        OptionSpec(
            "statistics", ("--statistics",), "flag", "Print the number of findings of each pass.", panel="Result"
        ),
        OptionSpec("watch", ("--watch",), "flag", "Check again whenever a file changes.", panel="Result"),
        OptionSpec(
            "baseline",
            ("--baseline",),
            "string",
            "Report only findings that FILE does not record (it holds counts by file and pass).",
            metavar="FILE",
            panel="Result",
        ),
        OptionSpec(
            "update_baseline",
            ("--update-baseline",),
            "flag",
            "Record the current findings in the baseline, and drop those that are gone.",
            panel="Result",
        ),
        *FAIL_ON,
        *SELECTION,
        *DIGESTS,
        *FILES,
        PROFILE,
        *CACHE,
        *CONFIGURATION,
        format_option("The output format."),
        *OUTPUT,
        *TRACE,
    ),
    order=20,
)
