"""The command line of `dfopt history`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._engine import ENGINE
from dfopt.cli.specs._shared import TABLE_FORMAT

SPEC = CommandSpec(
    "history",
    "dfopt.cli.history",
    "Show how an image was built: its history with layer sizes, and a Dockerfile reconstructed from it.",
    (
        ArgumentSpec(
            "image",
            "An image of docker, podman or buildah, docker://REGISTRY/NAME:TAG, an OCI layout, an archive, or '-'.",
            required=True,
            metavar="IMAGE",
        ),
    ),
    (
        OptionSpec(
            "file",
            ("--file", "-f"),
            "string",
            "The Dockerfile that the image was built from: show its lines instead of reconstructing one.",
            metavar="FILE",
        ),
        OptionSpec("dockerfile", ("--dockerfile",), "flag", "Print only the reconstructed Dockerfile."),
        OptionSpec(
            "rebuild",
            ("--rebuild",),
            "string",
            "Write a Dockerfile and the context that it needs to a new directory; building it gives an equal image.",
            metavar="DIR",
        ),
        OptionSpec(
            "base",
            ("--base",),
            "string",
            "With --rebuild: the image that this one stands on, or 'scratch'. [default: looked for among local images]",
            metavar="IMAGE",
        ),
        OptionSpec(
            "squash",
            ("--squash",),
            "flag",
            "With --rebuild: one layer above the base, without files that a later layer deletes or replaces.",
        ),
        OptionSpec(
            "verify",
            ("--verify",),
            "flag",
            "With --rebuild: build it and compare, and write packages as installs where the result is equal.",
        ),
        *[option for option in ENGINE if option.name in ("engine", "builder", "network", "timeout")],
        OptionSpec(
            "platform",
            ("--platform",),
            "string",
            "The platform to choose from a multi-platform image (linux/arm64).",
            metavar="PLATFORM",
        ),
        OptionSpec("show_secrets", ("--show-secrets",), "flag", "Do not mask passwords and tokens."),
        OptionSpec("all", ("--all",), "flag", "Do not truncate lines."),
        TABLE_FORMAT,
    ),
    order=62,
)
