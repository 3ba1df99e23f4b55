"""The move of a copy behind installs that see nothing of it but manifests."""

from __future__ import annotations

import posixpath

from dfopt.editing.layout import newline_at
from dfopt.findings import Declares, Fix
from dfopt.passes.dependency_layers.edits import by_directory, edits_of, manifest_copy
from dfopt.passes.dependency_layers.manifests import earlier_files
from dfopt.passes.dependency_layers.sources_copy import PASSED, check_move, check_workdirs, may_install
from dfopt.passes.dependency_layers.steps import independent
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import InsertStep
from dfopt.rewrites.move_copies import MoveCopies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.sources_copy import SourcesCopy
    from dfopt.passes.dependency_layers.steps import Independent


def move_behind_installs(program: Program, copy: SourcesCopy, steps: tuple[Step, ...]) -> tuple[str, Fix] | None:
    """What the move of a copy behind the installs among `steps` does, and its fix. Raises Refusal."""
    passed: list[tuple[Step, Independent | None]] = []  # None: an instruction that touches no file
    size = 0  # of them up to the last install
    for step in steps:
        if step.node.keyword in PASSED:
            passed.append((step, None))
            continue
        if step.node.keyword != "RUN" or (not size and not may_install(program, step)):
            break
        try:
            if not copy.sources.destination:
                raise Refusal("the directory that is copied to is not known (no WORKDIR names it)")
            install = independent(program, step, copy.sources)
        except Refusal:
            if size:
                break
            raise
        if install is None:
            break
        passed.append((step, install))
        if install.what:
            size = len(passed)
    return _move(program, copy, passed[:size]) if size else None


def _move(program: Program, copy: SourcesCopy, passed: list[tuple[Step, Independent | None]]) -> tuple[str, Fix]:
    node = copy.step.node
    sources = copy.sources
    installs = [install for _, install in passed if install is not None]
    files = list(dict.fromkeys([path for install in installs for path in install.files]))
    writes = [path for install in installs for path in install.writes]
    doubts = list(dict.fromkeys([doubt for install in installs for doubt in install.doubts]))
    metadata = [step for step, install in passed if install is None]
    check_move(copy, files, writes, metadata)
    last = passed[-1][0]
    # the manifests come before the first install that reads them
    first = next(step for step, install in passed if install is not None)
    reader = next((step for step, install in passed if install is not None and install.files), first)
    place = copy.step.index if reader is first else reader.index
    check_workdirs(program, copy, [step for step in metadata if not files or step.index < place])
    rewrites: list[MoveCopies | InsertStep] = [
        MoveCopies(
            (copy.step.index,), last.index + 1, tuple([step.index for step, install in passed if install is not None])
        )
    ]
    lines = ""
    there = _there(program, copy)
    for group in by_directory([path for path in files if posixpath.join(sources.destination, path) not in there]):
        words, line = manifest_copy(program, node, sources, group)
        flags = tuple([(flag.name, flag.value) for flag in node.flags])
        rewrites.append(InsertStep(place, "COPY", flags, ("list", "", words)))
        lines += line + newline_at(program.text, node.start)
    edits = edits_of(program, [(node, node)], last.node, lines, None if reader is first else reader.node)
    what = ", ".join(dict.fromkeys([install.what for install in installs if install.what]))
    message = f"a change of the sources keeps the layer of {what}"
    if doubts:
        message += f" (open: {doubts[0]})"
    base = sources.destination.rstrip("/")
    declared = tuple([f"{base}/{path}**" if path.endswith("/") else f"{base}/{path}" for path in writes])
    fix = Fix(edits, tuple(rewrites), "unsafe" if doubts else "safe", Declares(declared) if doubts else None)
    return message, fix


def _there(program: Program, copy: SourcesCopy) -> set[str]:
    """The files in the image that copies right before this one bring, as this one would."""
    node = copy.step.node
    before: list[Step] = []
    for step in reversed(program.stages[copy.step.stage].steps):
        if step.index >= copy.step.index:
            continue
        if step.node.keyword not in ("COPY", *PASSED):
            break
        if [(flag.name, flag.value) for flag in step.node.flags] == [(flag.name, flag.value) for flag in node.flags]:
            before.insert(0, step)
    prefix, destination = copy.sources.prefix, copy.sources.destination
    files = earlier_files(program, copy.sources.facts, before)
    return {path for path, source in files.items() if posixpath.join(destination, source.removeprefix(prefix)) == path}
