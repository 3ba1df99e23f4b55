"""What goes wrong with engines. Every message is made to be shown; the end of a log is in `log`, and in the text."""

from __future__ import annotations

_LOG_LINES = 30


class EngineError(Exception):
    """An engine refused, or cannot be worked with."""

    def __init__(self, message: str, log: str = "") -> None:
        lines = log.rstrip().split("\n")[-_LOG_LINES:]
        super().__init__("\n".join([message, *[f"    {line}" for line in lines]]) if log.strip() else message)
        self.message = message
        self.log = log


class NoEngineError(EngineError):
    """No engine that builds images is there, or the one that was asked for does not answer."""


class BuildError(EngineError):
    """The engine ran the build, and the build failed: the Dockerfile's or its context's fault."""


class TimeLimitError(EngineError):
    """A build or a command took longer than it may; it was ended."""


class CancelledError(EngineError):
    """`cancel` ended what was running."""
