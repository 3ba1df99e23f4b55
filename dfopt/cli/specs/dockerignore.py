"""The command line of `dfopt dockerignore`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, FILES, OUTPUT, PATHS

SPEC = CommandSpec(
    "dockerignore",
    "dfopt.cli.dockerignore",
    "Add to .dockerignore what is in the build context but no image needs: print the diff, or write it.",
    (PATHS,),
    (
        OptionSpec("write", ("--write", "-w"), "flag", "Write the .dockerignore files.", panel="Result"),
        OptionSpec(
            "unsafe",
            ("--unsafe",),
            "switch",
            "Also exclude files that a program in the image might read (secrets, build output).",
            panel="Result",
        ),
        *[option for option in FILES if option.name not in ("stdin_filename", "jobs", "hosts")],
        *CONFIGURATION,
        *[option for option in OUTPUT if option.name in ("quiet", "color")],
        OptionSpec(
            "explain", ("--explain",), "flag", "List the files found, and why each is excluded or kept.", panel="Output"
        ),
    ),
    order=25,
)
