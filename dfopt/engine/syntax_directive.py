"""The `# syntax=` line: the frontend that a Dockerfile requests, and the file without that line."""

from __future__ import annotations

from dfopt.source import decode, encode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError


def frontend_of(dockerfile: bytes) -> str | None:
    """The image that `# syntax=` names; None without one, or if the file cannot be parsed."""
    try:
        directives = parse(decode(dockerfile)).directives
    except DockerfileError:
        return None
    return next((directive.value for directive in directives if directive.name == "syntax"), None)


def without_frontend(dockerfile: bytes) -> bytes:
    """`dockerfile` without its `# syntax=` line, so that the engine's built-in frontend reads it and none is pulled.

    It drops `# check=` as well: BuildKit before 0.15 does not know it and would ignore an `# escape=` after it.
    """
    text = decode(dockerfile)
    try:
        directives = parse(text).directives
    except DockerfileError:
        return dockerfile
    lines = text.split("\n")
    gone = {directive.line - 1 for directive in directives if directive.name in ("syntax", "check")}
    return encode("\n".join(line for number, line in enumerate(lines) if number not in gone))
