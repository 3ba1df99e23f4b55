"""The command line of `dfopt history`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._shared import TABLE_FORMAT

SPEC = CommandSpec(
    "history",
    "dfopt.cli.history",
    "Show how an image was made: its history with its layers' sizes, and a Dockerfile recovered from them.",
    (
        ArgumentSpec(
            "image",
            "A name of docker, podman or buildah, docker://REGISTRY/NAME:TAG, an OCI layout, an archive, or '-'.",
            required=True,
            metavar="IMAGE",
        ),
    ),
    (
        OptionSpec(
            "file",
            ("--file", "-f"),
            "string",
            "The Dockerfile that the image was built from: show its lines instead of recovering one.",
            metavar="FILE",
        ),
        OptionSpec("dockerfile", ("--dockerfile",), "flag", "Print the recovered Dockerfile alone."),
        OptionSpec(
            "platform",
            ("--platform",),
            "string",
            "Of an image for several: this one (linux/arm64).",
            metavar="PLATFORM",
        ),
        OptionSpec("show_secrets", ("--show-secrets",), "flag", "Do not mask passwords and tokens."),
        OptionSpec("all", ("--all",), "flag", "Cut no line short."),
        TABLE_FORMAT,
    ),
    order=62,
)
