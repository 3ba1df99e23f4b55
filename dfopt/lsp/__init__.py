"""The language server, `dfopt lsp`: findings, fixes and facts where a Dockerfile is written.

`analysis` and `place` know nothing of the protocol's library; `server` is the only module that starts it. Nothing
outside this package imports it, but for the command.
"""
