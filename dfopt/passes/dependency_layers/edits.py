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


def edits_of(
    program: Program, first: Instruction, node: Instruction, last: Instruction, lines: str, reader: Instruction | None
) -> tuple[Edit, ...]:
    """The copies from `first` to `node`, with their comments, go behind the last install. The manifests, `lines`, come
    in their place, or before `reader`."""
    text = program.text
    start = _start(text, first)
    end = line_end(text, node.end)
    newline = newline_at(text, node.start)
    moved = text[start:end]
    behind = text.find("\n", end)
    nodes = program.dockerfile.instructions
    at = next(index for index, other in enumerate(nodes) if other is node)
    gap = text[behind + 1 : _start(text, nodes[at + 1])]
    blank = gap if not gap.strip() else ""
    goal = line_end(text, last.end)
    back = Edit(goal, goal, newline + blank + moved)
    if lines and reader is None:
        return (Edit(start, behind + 1, lines), back)
    out = Edit(start, behind + 1 + len(blank), "")
    if reader is None:
        return (out, back)
    there = _start(text, reader)
    return (out, Edit(there, there, lines), back)


def _start(text: str, node: Instruction) -> int:
    """The start of an instruction's line, or that of the comments above it."""
    return line_start(text, node.above[0].start if node.above else node.start)
