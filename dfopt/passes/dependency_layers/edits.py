"""The text of `dependency-layers`: the copy of manifests, and the copy of the sources in its new place."""

from __future__ import annotations

import posixpath

from dfopt.edit import Edit
from dfopt.editing.layout import line_end, line_start, newline_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.passes.dependency_layers.sources import Sources
    from dfopt.syntax.tree import Instruction


def by_directory(files: list[str]) -> list[list[str]]:
    """Files that one COPY can bring: those of one directory."""
    groups: dict[str, list[str]] = {}
    for path in files:
        groups.setdefault(posixpath.dirname(path), []).append(path)
    return list(groups.values())


def manifest_copy(
    program: Program, node: Instruction, sources: Sources, files: list[str]
) -> tuple[tuple[str, ...], str]:
    """The words and the line of the COPY that brings files of one directory."""
    target = node.arguments[-1].value
    directory = posixpath.dirname(files[0])
    if target in (".", "./"):
        target = "./" + (directory + "/" if directory else "")
    else:
        target = target.rstrip("/") + "/" + (directory + "/" if directory else "")
    words = (*[sources.prefix + path for path in files], target)
    keyword = program.text[node.start : node.start + len(node.keyword)]
    keyword = "copy" if keyword.islower() else "COPY"
    head = node.joined.text[node.flags[0].at : node.flags[-1].stop] + " " if node.flags else ""
    return words, f"{keyword} {head}{' '.join(words)}"


def edits_of(program: Program, node: Instruction, last: Instruction, lines: str) -> tuple[Edit, ...]:
    """The copy with its comments goes behind the last install; in its place come the manifests."""
    text = program.text
    start = line_start(text, node.above[0].start if node.above else node.start)
    end = line_end(text, node.end)
    newline = newline_at(text, node.start)
    moved = text[start:end]
    behind = text.find("\n", end)
    nodes = program.dockerfile.instructions
    at = next(index for index, other in enumerate(nodes) if other is node)
    following = line_start(text, nodes[at + 1].above[0].start if nodes[at + 1].above else nodes[at + 1].start)
    gap = text[behind + 1 : following]
    blank = gap if not gap.strip() else ""
    stop = behind + 1 if lines else behind + 1 + len(blank)
    goal = line_end(text, last.end)
    return (Edit(start, stop, lines), Edit(goal, goal, newline + blank + moved))
