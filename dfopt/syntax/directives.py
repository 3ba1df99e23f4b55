"""Parser directives (`# syntax=`, `# escape=`, `# check=`) and the syntax level that they select.

Rules: BuildKit frontend/dockerfile/parser/directives.go. Directives stand before anything else; the first line that is
none (a blank line, a comment, an unknown name) ends them; none may occur twice.
"""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.syntax.tree import Directive, DockerfileError
from dfopt.units import whole_number

_DIRECTIVE = regex(r"#[\t\n\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*((?s:.+))")
_LEVEL = regex(
    r"^(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::([0-9]+)(?:\.([0-9]+))?(?:\.[0-9]+)?(-labs)?)?(?:@|$)"
)
NAMES = frozenset(("syntax", "escape", "check"))


class DirectiveReader:
    """Reads directives line by line until the first line that is none."""

    __slots__ = ("done", "escape", "found")

    def __init__(self) -> None:
        self.found: list[Directive] = []
        self.done = False
        self.escape = "\\"

    def feed(self, token: str, start: int, line: int) -> None:
        """Takes one line without its newline and leading blanks; `start` is its offset, `line` counts from 1."""
        match = _DIRECTIVE.match(token)
        name = match[1].lower() if match else ""
        if match is None or name not in NAMES:
            self.done = True
            return
        if any(directive.name == name for directive in self.found):
            raise DockerfileError(f"only one {name} parser directive can be used", start)
        value = match[2].rstrip("\t\n\f\r ") or match[2]
        if name == "escape":
            if value not in ("\\", "`"):
                raise DockerfileError(f"invalid escape token '{value}' does not match ` or \\", start)
            self.escape = value
        self.found.append(Directive(name, value, start + match.start(2), start + match.end(2), line))


# A level newer than any feature that dfopt knows: a tag such as `1` or `latest` follows the newest release.
NEWEST = (1, 99)


def syntax_level(directive: Directive | None) -> tuple[int, int] | None:
    """The Dockerfile syntax version that a `# syntax=` directive asks for, as (major, minor).

    `docker/dockerfile:1` and no tag mean the newest. None: no directive (the engine's built-in frontend, whose version
    is not known here) or another frontend.
    """
    if directive is None:
        return None
    match = _LEVEL.match(directive.value.split(" ", 1)[0])
    if match is None:
        return None
    if match[1] is None or match[2] is None:
        return NEWEST if match[1] in (None, "1") else None
    return whole_number(match[1]), whole_number(match[2])
