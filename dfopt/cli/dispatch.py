"""Reads the command line, runs one command, and turns every failure into an exit status.

0: nothing to do, or everything written. 1: findings that --fail-on names, or something would change. 2: a usage,
configuration, syntax or I/O error. 130: interrupted. 141: the reader of the output has gone (as for a program killed by
SIGPIPE).
"""

from __future__ import annotations

import gc
import os

from dfopt.cli import fast, out
from dfopt.cli.errors import UsageError
from dfopt.workspace.run import GC_THRESHOLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dfopt.cli.options import Call

INTERRUPTED = 130
PIPE_CLOSED = 141


def run_process(args: Sequence[str]) -> int:
    """As `run`, where the process is there for nothing else."""
    gc.set_threshold(GC_THRESHOLD)
    status = run(args, before=_collect_from_now)
    gc.freeze()  # the interpreter's last collection has nothing to look through
    return status


def _collect_from_now() -> None:
    gc.freeze()  # what was imported stays
    gc.enable()


def run(args: Sequence[str], before: Callable[[], None] = lambda: None) -> int:
    """Runs dfopt with `args` (without the program's name), and `before` once it is known what to run. Returns the exit
    status."""
    try:
        status = _run(args, before)
        out.flush()
        return status
    except KeyboardInterrupt:
        out.discard()
        return INTERRUPTED
    except out.OutputClosed:
        return PIPE_CLOSED
    except out.OutputFailed as failure:
        return _failed(str(failure))


def _run(args: Sequence[str], before: Callable[[], None]) -> int:
    try:
        if list(args) == ["--version"]:
            from dfopt.version import version

            out.data(f"dfopt {version()}\n")
            return 0
        call = fast.parse(args, os.environ)
        if call is None:
            from dfopt.cli.kept_help import help_of

            parsed = help_of(args, os.environ, lambda: _by_typer(args))
            if isinstance(parsed, int):
                return parsed
            call = parsed
        module = __import__(call.command.module, fromlist=("run",))
        before()
        status: int = module.run(call.values)
        return status
    except UsageError as failure:
        return _failed(str(failure))
    except OSError as failure:
        name = f"{out.printable(str(failure.filename))}: " if failure.filename else ""
        return _failed(f"{name}{failure.strerror or failure}")
    except (out.OutputClosed, out.OutputFailed):
        raise
    except Exception as failure:  # a defect of dfopt: still one line
        if os.environ.get("DFOPT_TRACEBACK"):
            raise
        from dfopt.workspace.internal_error import internal

        return _failed(internal(failure))


def _by_typer(args: Sequence[str]) -> Call | int:
    from dfopt.cli import app

    return app.parse(args)


def _failed(message: str) -> int:
    try:
        out.error(message)
    except (out.OutputClosed, out.OutputFailed):
        return 2
    return 2
