"""The language server, `dfopt lsp`: findings, fixes and facts in the editor.

`analysis` and `place` do not depend on the protocol library; only `server` starts it. Outside this package, only the
command imports it.
"""
