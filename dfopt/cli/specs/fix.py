"""The command line of `dfopt fix`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import (
    CACHE,
    CONFIGURATION,
    DIGESTS,
    FAIL_ON,
    FILES,
    OUTPUT,
    PATCH,
    PATHS,
    PROFILE,
    SELECTION,
    TRACE,
    format_option,
)

SPEC = CommandSpec(
    "fix",
    "dfopt.cli.fix",
    "Optimize Dockerfiles: print what would change as a unified diff, or write it.",
    (PATHS,),
    (
        OptionSpec("write", ("--write", "-w"), "flag", "Write the changes to the files.", panel="Result"),
        OptionSpec(
            "interactive",
            ("--interactive", "-i"),
            "flag",
            "Ask about each hunk, on a terminal, and write what was accepted.",
            panel="Result",
        ),
        OptionSpec(
            "undo", ("--undo",), "flag", "Put back what the last --write or -i changed below PATH.", panel="Result"
        ),
        OptionSpec(
            "check",
            ("--check",),
            "flag",
            "Only print the names of the files that would change, and exit with status 1 if there are any.",
            panel="Result",
        ),
        OptionSpec("diff", ("--diff",), "flag", "Print the diff also with --write, --check and '-'.", panel="Result"),
        PATCH,
        OptionSpec(
            "verify",
            ("--verify",),
            "flag",
            "Build each file before and after, compare the images, and keep the fixes that pass, even unsafe ones.",
            panel="Proof",
        ),
        *ENGINE,
        OptionSpec(
            "budget",
            ("--budget",),
            "int",
            "With -O3: the most builds of candidates for a file, beside those of the original and of the result; a "
            "further run continues where one stopped. [default: 12]",
            metavar="BUILDS",
            low=1,
            panel="Proof",
        ),
        OptionSpec(
            "budget_minutes",
            ("--budget-minutes",),
            "int",
            "With -O3: the most minutes for the candidates of a file.",
            metavar="MINUTES",
            low=1,
            panel="Proof",
        ),
        *FAIL_ON,
        *SELECTION,
        *DIGESTS,
        *FILES,
        PROFILE,
        *CACHE,
        *CONFIGURATION,
        format_option("The output format; text is the diff."),
        *OUTPUT,
        *TRACE,
    ),
    order=10,
)
