"""The command line of `dfopt lsp`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec

SPEC = CommandSpec(
    "lsp",
    "dfopt.cli.lsp",
    "Run the language server for editors on standard input and output.",
    (),
    (
        OptionSpec(
            "stdio",
            ("--stdio",),
            "flag",
            "Accepted because some clients pass it; the server always uses standard input and output.",
        ),
    ),
    order=70,
)
