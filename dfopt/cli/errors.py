"""Errors that end a command, with messages for users."""

from __future__ import annotations


class UsageError(Exception):
    """A wrong command line: exit status 2, one line on standard error."""
