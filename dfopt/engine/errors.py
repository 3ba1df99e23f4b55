"""Errors of engines. Messages are for users; the end of a log is in `log` and in the text."""

from __future__ import annotations

_LOG_LINES = 30


class EngineError(Exception):
    """An engine refused or is unusable."""

    def __init__(self, message: str, log: str = "") -> None:
        lines = log.rstrip().split("\n")[-_LOG_LINES:]
        super().__init__("\n".join([message, *[f"    {line}" for line in lines]]) if log.strip() else message)
        self.message = message
        self.log = log


class NoEngineError(EngineError):
    """There is no engine that builds images, or the selected one does not respond."""


class BuildError(EngineError):
    """The engine ran the build and it failed because of the Dockerfile or its context."""


class EngineTimeLimitError(EngineError):
    """A build or a command exceeded its time limit and was stopped."""


class CancelledError(EngineError):
    """`cancel` stopped the command."""
