"""The command line of `dfopt pin`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, FILES, LOCK, NETWORK, OUTPUT, PATCH, PATHS, format_option

SPEC = CommandSpec(
    "pin",
    "dfopt.cli.pin",
    "Pin images to digests: print the diff, or write the files and dfopt.lock.",
    (PATHS,),
    (
        OptionSpec("write", ("--write", "-w"), "flag", "Write the files, and the lock file.", panel="Result"),
        OptionSpec(
            "update", ("--update",), "flag", "Ask for every tag again, and replace digests that moved.", panel="Result"
        ),
        OptionSpec(
            "check",
            ("--check",),
            "flag",
            "Change nothing; list the pinned tags that moved, and exit 1 if there are any.",
            panel="Result",
        ),
        OptionSpec(
            "source_policy",
            ("--source-policy",),
            "string",
            "Leave the files alone; write a BuildKit source policy to FILE ('-': standard output), and the lock file.",
            metavar="FILE",
            panel="Result",
        ),
        OptionSpec(
            "downloads",
            ("--downloads",),
            "flag",
            "Also fetch what ADD downloads, and pin it by checksum.",
            panel="Result",
        ),
        OptionSpec("diff", ("--diff",), "flag", "Print the diff with --write, too.", panel="Result"),
        PATCH,
        LOCK,
        OptionSpec("offline", ("--offline",), "flag", "Take digests from the lock file alone.", panel="Digests"),
        OptionSpec(
            "prune",
            ("--prune",),
            "flag",
            "Drop what no file names any more from the lock file (give all files).",
            panel="Digests",
        ),
        *NETWORK,
        *FILES,
        *CONFIGURATION,
        format_option("The form of the list of --check.", ("text", "json"), "text"),
        *OUTPUT,
    ),
    order=50,
)
