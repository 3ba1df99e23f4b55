"""Whether whatever reads a file knows a feature of the Dockerfile syntax."""

from __future__ import annotations

from dfopt.syntax.directives import syntax_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program

# flags by which a file shows that its engine reads those of syntax 1.2 (RUN --mount, COPY --chmod), and more
_MODERN = frozenset(("mount", "network", "security", "chmod", "link", "parents", "exclude", "checksum", "keep-git-dir"))


def _shows_buildkit(program: Program) -> bool:
    """Whether a file has syntax that BuildKit alone reads."""
    return any(
        node.heredocs or any(flag.name in _MODERN for flag in (node.nested or node).flags)
        for node in program.dockerfile.instructions
    )


def syntax_obstacle(program: Program, engine: str, level: tuple[int, int], what: str) -> str:
    """Why it is not known that `what`, of this syntax level (at most 1.2), would be read; "" where it is. `engine` is
    the setting of that name."""
    directive = program.dockerfile.directive("syntax")
    if directive is not None:
        level_of_file = syntax_level(directive)
        if level_of_file is None:
            return f"whether the frontend {directive.value} reads {what} is not known"
        return "" if level_of_file >= level else f"{what} needs syntax {level[0]}.{level[1]} or later"
    if engine == "buildkit":
        return ""
    if program.once("shows BuildKit", _shows_buildkit, program):
        return ""
    return f"{what} needs BuildKit: nothing shows that it reads this file"
