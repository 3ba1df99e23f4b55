"""Copies of files of the build context: they move behind installs of the system's packages, which see none of them."""

from __future__ import annotations

import posixpath
import re

from dfopt.findings import Fix
from dfopt.ir.context_sources import sources_of
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.dependency_layers.edits import edits_of
from dfopt.passes.dependency_layers.sources import Sources
from dfopt.passes.dependency_layers.sources_copy import (
    PASSED,
    SourcesCopy,
    check_move,
    check_workdirs,
    copy_of,
    may_install,
)
from dfopt.passes.dependency_layers.steps import installs_packages
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.move_copies import MoveCopies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_MOST = 100  # instructions that one move looks at, above the copy and behind it
_FLAGS = ("chown", "chmod", "link", "parents", "exclude")


class _Files(Sources):
    """Files of which it is not looked up what they are: whatever is asked for may be among them."""

    def holds(self, path: str) -> bool:
        return True


class FilesMove(Record):
    """`first`: the first instruction that moves; `before`: the index of the one that the copies then stand before."""

    message: str
    fix: Fix
    first: Step
    before: int


def move_files(program: Program, steps: Sequence[Step], position: int, facts: Facts) -> FilesMove | None:
    """What moves the copy at `position` behind installs of packages, with those above it that may pass as much; None
    where there is nothing to move, or no proof that it may."""
    blocks: list[list[Step]] = []  # copies that stand together
    passed: list[Step] = []
    what = ""
    for step in reversed(steps[max(0, position - _MOST) : position + 1]):
        if step.node.keyword not in ("COPY", "ADD"):
            passed.insert(0, step)
            continue
        copy = _files_copy(program, step, facts)
        behind = passed or steps[position + 1 :]
        reach, names = _reach(program, copy, behind) if copy is not None else (0, "")
        if copy is None or not reach or (passed and reach != len(passed)):
            break
        if not blocks:
            passed = list(behind[:reach])
        if blocks and blocks[0][0].index == step.index + 1:
            blocks[0].insert(0, step)
        else:
            blocks.insert(0, [step])
        what = names
    moved = [step for block in blocks for step in block]
    if not moved or (len(moved) == 1 and copy_of(program, moved[0], facts) is not None):
        return None  # of one directory, `move_behind_installs` knows more
    passed = [step for step in passed if step.index > moved[0].index]
    runs = tuple([step.index for step in passed if step.node.keyword == "RUN"])
    rewrite = MoveCopies(tuple([step.index for step in moved]), passed[-1].index + 1, runs)
    edits = edits_of(program, [(block[0].node, block[-1].node) for block in blocks], passed[-1].node, "", None)
    message = f"a change of what is copied keeps the layer of {what}"
    return FilesMove(message, Fix(edits, (rewrite,), "safe", None), moved[0], rewrite.before)


def _reach(program: Program, copy: SourcesCopy, steps: Sequence[Step]) -> tuple[int, str]:
    """How many of `steps` the copy may pass, up to the last install, and what they install."""
    reach = 0
    names: dict[str, None] = {}
    try:
        for number, step in enumerate(steps[: 2 * _MOST], 1):
            if step.node.keyword in PASSED:
                continue
            if step.node.keyword != "RUN" or (not reach and not may_install(program, step)):
                break
            install = installs_packages(program, step, copy.sources)
            if install.what:
                reach = number
                names[install.what] = None
    except Refusal:
        pass  # as far as to there
    try:
        _check(program, copy, steps[:reach])
    except Refusal:
        return 0, ""
    return reach, ", ".join(names)


def _check(program: Program, copy: SourcesCopy, passed: Sequence[Step]) -> None:
    """Raises Refusal where the copy may not pass these."""
    metadata = [step for step in passed if step.node.keyword != "RUN"]
    check_move(copy, [], [], metadata)
    check_workdirs(program, copy, metadata)
    home = re.match(r"/(?:root|home/[^/]+)/([^/]+)", copy.sources.destination)
    if home is not None and (home[1].startswith(".") or home[1] in table("dependency_files")["system"]["home"]):
        raise Refusal(f"programs may read {copy.sources.destination} as their settings")


def _files_copy(program: Program, step: Step, facts: Facts) -> SourcesCopy | None:
    """What a step copies from the context, as far as it is known where it lands."""
    node = step.node
    if node.keyword not in ("COPY", "ADD") or node.heredocs or len(node.arguments) < 2:
        return None
    origins = list(sources_of(program, step))
    if any(flag.name not in _FLAGS for flag in node.flags) or len(origins) + 1 != len(node.arguments):
        return None
    scope = program.scope(step)
    word = scope.expand(node.arguments[-1].value, program.dockerfile.escape)
    target = join_path(scope.workdir, word)
    if not isinstance(target, str) or not isinstance(word, str):
        return None
    into = word.endswith("/") or word in (".", "..")
    if into and node.keyword == "COPY" and len(origins) == 1 and origins[0].path in (facts.context_paths() or ()):
        target = posixpath.join(target, posixpath.basename(str(origins[0].path)))  # one file
    return SourcesCopy(step, _Files(facts, "", target), ("", ""))
