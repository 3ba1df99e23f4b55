"""The command line of `dfopt review`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, CONTEXT, OUTPUT, format_option
from dfopt.record import replace

SPEC = CommandSpec(
    "review",
    "dfopt.cli.review",
    "Review an image: what it costs, what of that is dead, what should not be in it, and which line did it. "
    "With two images, compare them.",
    (
        ArgumentSpec(
            "images",
            "An image, or two: a name of docker, podman or buildah, docker://REGISTRY/NAME:TAG, an OCI layout, an "
            "archive, '-' for one on standard input. With --file, a directory at the end that is no image is the build "
            "context, as for docker build.",
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
            "The Dockerfile that the image was built from: layers get their lines, and fixes their savings. "
            "Given twice: of the second image.",
            metavar="FILE",
            panel="Image",
        ),
        replace(CONTEXT, panel="Image"),
        OptionSpec(
            "target", ("--target",), "string", "The stage that was built. [default: the last]", metavar="STAGE",
            panel="Image",
        ),
        OptionSpec(
            "platform", ("--platform",), "string", "Of an image for several: this one (linux/arm64).",
            metavar="PLATFORM", panel="Image",
        ),
        OptionSpec("no_secrets", ("--no-secrets",), "flag", "Do not search files for secrets.", panel="Image"),
        OptionSpec(
            "fail_on",
            ("--fail-on",),
            "list",
            "End with 1 where there is a finding of these: a level and all above it (error, warning, note), or rules "
            "(secret, setuid, leftover ...), separated by commas.",
            metavar="LIST",
            panel="Gate",
        ),
        OptionSpec(
            "dive_ci", ("--dive-ci",), "string",
            "The rules of dive to gate by; 'none' for no rules. [default: .dive-ci, where there is one]",
            metavar="FILE", panel="Gate",
        ),
        OptionSpec(
            "max_size", ("--max-size",), "string", "End with 1 where all layers hold more (200MB).", metavar="SIZE",
            panel="Gate",
        ),
        OptionSpec(
            "max_wasted", ("--max-wasted",), "string", "End with 1 where more bytes are dead (20MB).", metavar="SIZE",
            panel="Gate",
        ),
        OptionSpec(
            "min_efficiency", ("--min-efficiency",), "string",
            "End with 1 where a smaller share of the bytes is alive (0.95 or 95%).", metavar="SHARE", panel="Gate",
        ),
        OptionSpec(
            "html", ("--html",), "string", "Write the report as one page of HTML to FILE, too.", metavar="FILE",
            panel="Output",
        ),
        OptionSpec("all", ("--all",), "flag", "Cut no table short.", panel="Output"),
        *CONFIGURATION,
        format_option("The form of the output.", ("text", "json", "sarif"), "text"),
        *[option for option in OUTPUT if option.name == "color"],
    ),
    order=60,
)  # fmt: skip
