"""The command line of `dfopt lsp`."""

from __future__ import annotations

from dfopt.cli.options import CommandSpec, OptionSpec

SPEC = CommandSpec(
    "lsp",
    "dfopt.cli.lsp",
    "Run the language server for editors, on standard input and output.",
    (),
    (OptionSpec("stdio", ("--stdio",), "flag", "Taken because some clients send it: it is the only way to talk."),),
    order=70,
)
