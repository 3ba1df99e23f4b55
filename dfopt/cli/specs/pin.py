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
        OptionSpec("write", ("--write", "-w"), "flag", "Write the files and the lock file.", panel="Result"),
        OptionSpec(
            "update",
            ("--update",),
            "flag",
            "Look up every tag again, and replace the digests of tags that moved.",
            panel="Result",
        ),
        OptionSpec(
            "check",
            ("--check",),
            "flag",
            "Only list the pinned tags that moved, and exit with status 1 if there are any.",
            panel="Result",
        ),
        OptionSpec(
            "source_policy",
            ("--source-policy",),
            "string",
            "Leave the files alone; write the lock file and a BuildKit source policy to FILE ('-' is standard output).",
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
        OptionSpec("diff", ("--diff",), "flag", "Print the diff also with --write.", panel="Result"),
        PATCH,
        LOCK,
        OptionSpec(
            "facts",
            ("--facts",),
            "flag",
            "Also read from the layers of base images what passes ask of them (config, os-release, setuid files, "
            "programs), and keep it in the lock file: later runs need no network.",
            panel="Digests",
        ),
        OptionSpec("offline", ("--offline",), "flag", "Take digests only from the lock file.", panel="Digests"),
        OptionSpec(
            "prune",
            ("--prune",),
            "flag",
            "Remove lock file entries that none of the given files uses (so give all files).",
            panel="Digests",
        ),
        *NETWORK,
        *FILES,
        *CONFIGURATION,
        format_option("The format of the list that --check prints.", ("text", "json"), "text"),
        *OUTPUT,
    ),
    order=50,
)
