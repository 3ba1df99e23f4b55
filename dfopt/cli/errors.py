"""Errors that end a command, with messages made to be shown."""

from __future__ import annotations


class UsageError(Exception):
    """A wrong command line: exit code 2, one line on standard error."""
