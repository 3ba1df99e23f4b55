"""The command line of `dfopt plan`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, DIGESTS, FILES, OUTPUT, PATHS, PROFILE, SELECTION

SPEC = CommandSpec(
    "plan",
    "dfopt.cli.plan",
    "Show what each optimization level would bring, and what stands in the way of more. Changes nothing.",
    (PATHS,),
    (
        OptionSpec(
            "output_format",
            ("--output-format",),
            "choice",
            "The output format. [default: text]",
            choices=("text", "json", "markdown"),
            metavar="FORMAT",
            panel="Result",
        ),
        OptionSpec(
            "html",
            ("--html",),
            "string",
            "Write the plan to FILE, as a page for a browser.",
            metavar="FILE",
            panel="Result",
        ),
        *(option for option in SELECTION if option.name not in ("level", "select", "recipe", "set", "unsafe")),
        *DIGESTS,
        OptionSpec(
            "engine",
            ("--engine",),
            "choice",
            "Ask this engine how large the base images are that it has ('auto': the first that responds); nothing is "
            "pulled or built.",
            choices=("auto", "docker", "podman", "buildah"),
            metavar="NAME",
            panel="Digests",
        ),
        *FILES,
        OptionSpec(
            "git_history",
            ("--git-history",),
            "int",
            "Count how often installs run anew, now and with each level, for the latest COMMITS to the build context. "
            "Starts git; nothing else does.",
            metavar="COMMITS",
            low=1,
            panel="Files",
        ),
        PROFILE,
        *CONFIGURATION,
        *OUTPUT,
    ),
    order=5,
)
