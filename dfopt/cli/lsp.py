"""`dfopt lsp`: the language server, on standard input and output."""

from __future__ import annotations

import gc
import logging

from dfopt.cli import out
from dfopt.cli.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


class _OneLine(logging.Handler):
    """What the protocol's library logs about a message, as a line on standard error: with no traceback, and with no
    control character that the message has."""

    def emit(self, record: logging.LogRecord) -> None:
        from asyncio import CancelledError

        failure = record.exc_info[1] if record.exc_info else None
        if isinstance(failure, CancelledError):
            return  # what the client no longer waits for
        text = record.getMessage().partition("\n")[0]
        if failure is not None:
            from dfopt.workspace.internal_error import internal, is_raised_in

            cause = failure.__cause__ or failure
            ours = is_raised_in(cause, "dfopt") and not is_raised_in(cause, "pygls", last=True)
            text = internal(cause) if ours else f"{text}: {type(cause).__name__}: {cause}"
        out.error(" ".join(text.split())[:1000])


def run(values: Values) -> int:
    """Serves until the client sends `exit`. Raises UsageError if the extra is not installed."""
    from dfopt.lsp.generated_code import KeptMethods

    gc.disable()  # thousands of classes, none of which is garbage
    try:
        with KeptMethods():
            from dfopt.lsp.server import make_server
    except ModuleNotFoundError as failure:
        if failure.name not in ("pygls", "lsprotocol", "cattrs", "attrs", "attr"):
            raise
        raise UsageError("the language server needs the Python package pygls") from None
    finally:
        gc.freeze()
        gc.enable()
    import os

    for name in ("pygls", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_OneLine(logging.WARNING)], False
    # The protocol gets a separate descriptor, so that nothing printed by mistake ends up between its messages.
    with open(os.dup(0), "rb") as requests, open(os.dup(1), "wb") as responses:
        os.dup2(2, 1)
        make_server().start_io(requests, responses)
    return 0
