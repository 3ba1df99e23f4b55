"""The command line of `dfopt review`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, CONTEXT, OUTPUT, format_option
from dfopt.record import replace

SPEC = CommandSpec(
    "review",
    "dfopt.cli.review",
    "Review an image: its size, which bytes are dead, what should not be in it, and which line is responsible. "
    "Given two images, compare them.",
    (
        ArgumentSpec(
            "images",
            "One or two images: an image of docker, podman or buildah, docker://REGISTRY/NAME:TAG, an OCI layout, an "
            "archive, or '-' for an archive on standard input. With --file, a trailing directory that is not an image "
            "is the build context, as in docker build.",
            many=True,
            required=True,
            metavar="IMAGE",
        ),
    ),
    (
        OptionSpec(
            "file",
            ("--file", "-f"),
            "values",
            "The Dockerfile that the image was built from: shows the line of each layer and the savings of fixes. "
            "Give it twice for two images.",
            metavar="FILE",
            panel="Image",
        ),
        replace(CONTEXT, panel="Image"),
        OptionSpec(
            "target", ("--target",), "string", "The stage that was built. [default: the last]", metavar="STAGE",
            panel="Image",
        ),
        OptionSpec(
            "platform", ("--platform",), "string", "The platform to choose from a multi-platform image (linux/arm64).",
            metavar="PLATFORM", panel="Image",
        ),
        OptionSpec("no_secrets", ("--no-secrets",), "flag", "Do not search files for secrets.", panel="Image"),
        OptionSpec(
            "fail_on",
            ("--fail-on",),
            "list",
            "Exit with status 1 on findings of these: a level and those above it (error, warning, note), or rules "
            "(secret, setuid, leftover ...), separated by commas.",
            metavar="LIST",
            panel="Gate",
        ),
        OptionSpec(
            "dive_ci", ("--dive-ci",), "string",
            "Check the image against dive's rules in FILE; 'none' for no rules. [default: .dive-ci if it exists]",
            metavar="FILE", panel="Gate",
        ),
        OptionSpec(
            "max_size", ("--max-size",), "string", "Exit with status 1 if the layers hold more than this (200MB).",
            metavar="SIZE", panel="Gate",
        ),
        OptionSpec(
            "max_wasted", ("--max-wasted",), "string", "Exit with status 1 if more bytes than this are dead (20MB).",
            metavar="SIZE", panel="Gate",
        ),
        OptionSpec(
            "min_efficiency", ("--min-efficiency",), "string",
            "Exit with status 1 if a smaller share of the bytes is live (0.95 or 95%).", metavar="SHARE", panel="Gate",
        ),
        OptionSpec(
            "html", ("--html",), "string", "Also write the report to FILE as one HTML page.", metavar="FILE",
            panel="Output",
        ),
        OptionSpec("all", ("--all",), "flag", "Do not truncate tables.", panel="Output"),
        *CONFIGURATION,
        format_option("The output format.", ("text", "json", "sarif"), "text"),
        *[option for option in OUTPUT if option.name == "color"],
    ),
    order=60,
)  # fmt: skip
