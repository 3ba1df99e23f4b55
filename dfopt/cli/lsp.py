"""`dfopt lsp`: the language server, on standard input and output."""

from __future__ import annotations

from dfopt.cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Serves until the client sends `exit`. Raises UsageError if the extra is not installed."""
    try:
        from dfopt.lsp.server import make_server
    except ModuleNotFoundError as failure:
        if failure.name not in ("pygls", "lsprotocol", "cattrs", "attrs"):
            raise
        raise UsageError("the language server needs pygls: pip install 'dfopt[lsp]'") from None
    import os

    # The protocol gets a separate descriptor, so that nothing printed by mistake ends up between its messages.
    with open(os.dup(0), "rb") as requests, open(os.dup(1), "wb") as responses:
        os.dup2(2, 1)
        make_server().start_io(requests, responses)
    return 0
