"""Standard output and standard error as bytes: text is UTF-8 with surrogateescape, and no newline is translated."""

from __future__ import annotations

import os
import sys

from dfopt.messages import printable as printable  # re-exported: commands print through this module
from dfopt.messages import printable_lines
from dfopt.source import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_INDENTED = "\n    "  # what follows is said of the line before
before_output: Callable[[], None] | None = None  # what takes a display of progress off the terminal


class OutputClosed(Exception):
    """The reader of standard output is gone: there is nobody to report to."""


class OutputFailed(Exception):
    """Standard output cannot be written to; the message says why."""


def text(lines: str, coloured: bool = False) -> None:
    """Writes whole lines for people to standard output. Raises OutputClosed, OutputFailed."""
    data(printable_lines(lines, coloured))


def data(text: str) -> None:
    """Writes text to standard output as it is: a format of its own, or what a program reads. Raises OutputClosed,
    OutputFailed."""
    if text:
        _write(sys.stdout, encode(text))


def flush() -> None:
    """Flushes standard output. Raises OutputClosed, OutputFailed."""
    if sys.stdout is not None:
        _write(sys.stdout, b"")


def note(text: str) -> None:
    """Writes whole lines for people to standard error, after the output that came before. A failure there is not an
    error."""
    if not text:
        return
    flush()
    if before_output is not None:
        before_output()
    try:
        sys.stderr.buffer.write(encode(printable_lines(text)))
        sys.stderr.buffer.flush()
    except (OSError, AttributeError, ValueError):
        pass


def error(message: str) -> None:
    """One `dfopt: error:` line on standard error, and those of the message that are indented, such as an engine's."""
    lines = message.split(_INDENTED)
    note(f"dfopt: error: {_INDENTED.join(map(printable, lines))}\n")


def discard() -> None:
    """Points standard output at the null device, so that the interpreter's last flush cannot fail."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, AttributeError, ValueError):
        pass


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _write(stream: TextIO | None, content: bytes) -> None:
    if stream is None:
        raise OutputFailed("standard output is closed")
    if content and before_output is not None:
        before_output()
    try:
        stream.buffer.write(content)
        if not content:
            stream.flush()
    except BrokenPipeError:
        discard()
        raise OutputClosed from None
    except OSError as failure:
        discard()
        raise OutputFailed(f"cannot write to standard output: {failure.strerror}") from None
