"""The command line of `dfopt config import`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec

FORCE = OptionSpec("force", ("--force",), "flag", "Overwrite files that are there.", panel="Output")
SPEC = CommandSpec(
    "config import",
    "dfopt.cli.config_import",
    "Write a dfopt.toml that says what hadolint's configuration says.",
    (ArgumentSpec("file", "hadolint's configuration. [default: .hadolint.yaml or .hadolint.yml]", metavar="FILE"),),
    (
        OptionSpec(
            "output",
            ("--output", "-o"),
            "string",
            "The file to write; '-' is standard output. [default: dfopt.toml]",
            metavar="FILE",
            panel="Output",
        ),
        FORCE,
    ),
    order=82,
)
