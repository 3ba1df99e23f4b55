"""The text of `dependency-layers`: the copy of manifests, and the copy of the sources in its new place."""

from __future__ import annotations

import posixpath

from dfopt.edit import Edit
from dfopt.editing.layout import line_end, line_start, newline_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
    program: Program,
    blocks: Sequence[tuple[Instruction, Instruction]],
    last: Instruction,
    lines: str,
    reader: Instruction | None,
) -> tuple[Edit, ...]:
    """The copies, which stand together from the first to the second of each of `blocks`, go with their comments behind
    the last install. The manifests, `lines`, come in the place of the first, or before `reader`."""
    text = program.text
    nodes = program.dockerfile.instructions
    edits: list[Edit] = []
    moved = ""
    for first, node in blocks:
        start, end = _start(text, first), line_end(text, node.end)
        behind = text.find("\n", end) + 1
        at = next(index for index, other in enumerate(nodes) if other is node)
        gap = text[behind : _start(text, nodes[at + 1])]
        blank = gap if not gap.strip() else ""
        moved += newline_at(text, node.start) + blank + text[start:end]
        inserted = lines if not edits and reader is None else ""
        edits.append(Edit(start, behind if inserted else behind + len(blank), inserted))
    if reader is not None:
        there = _start(text, reader)
        edits.append(Edit(there, there, lines))
    goal = line_end(text, last.end)
    return (*edits, Edit(goal, goal, moved))


def _start(text: str, node: Instruction) -> int:
    """The start of an instruction's line, or that of the comments above it."""
    return line_start(text, node.above[0].start if node.above else node.start)
