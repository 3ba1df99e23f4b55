"""The shell parser: `parse_shell` gives the tree of a RUN body, with a true span for every command and word."""

from __future__ import annotations

from dfopt.syntax.shell.nodes import ShellProgram, ShellSyntaxError
from dfopt.syntax.shell.parser import parse_shell

__all__ = ["ShellProgram", "ShellSyntaxError", "parse_shell"]
