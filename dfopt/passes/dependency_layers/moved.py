"""The move of a copy behind installs that see nothing of it but manifests."""

from __future__ import annotations

from dfopt.editing.layout import newline_at
from dfopt.findings import Declares, Fix
from dfopt.passes.dependency_layers.copied import PASSED, may_install, obstacle_of
from dfopt.passes.dependency_layers.edits import by_directory, edits_of, manifest_copy
from dfopt.passes.dependency_layers.sources import Reads
from dfopt.passes.dependency_layers.steps import independent
from dfopt.rewrites.instructions import InsertStep
from dfopt.rewrites.move_copy import MoveCopy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.copied import Copied
    from dfopt.passes.dependency_layers.steps import Independent


def moved(program: Program, copy: Copied, steps: tuple[Step, ...]) -> tuple[str, Fix] | None:
    """What the move of a copy behind the installs among `steps` does, and its fix. Raises Reads."""
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
                raise Reads("the directory that is copied to is not known (no WORKDIR names it)")
            found = independent(program, step, copy.sources)
        except Reads:
            if size:
                break
            raise
        if found is None:
            break
        passed.append((step, found))
        if found.what:
            size = len(passed)
    return _move(program, copy, passed[:size]) if size else None


def _move(program: Program, copy: Copied, passed: list[tuple[Step, Independent | None]]) -> tuple[str, Fix]:
    node = copy.step.node
    sources = copy.sources
    installs = [one for _, one in passed if one is not None]
    files = list(dict.fromkeys([path for one in installs for path in one.files]))
    writes = [path for one in installs for path in one.writes]
    doubts = list(dict.fromkeys([doubt for one in installs for doubt in one.doubts]))
    obstacle = obstacle_of(copy, files, writes, [step for step, one in passed if one is None])
    if obstacle:
        raise Reads(obstacle)
    last = passed[-1][0]
    rewrites: list[MoveCopy | InsertStep] = [
        MoveCopy(copy.step.index, last.index + 1, tuple([step.index for step, one in passed if one is not None]))
    ]
    lines = ""
    for group in by_directory(files):
        words, line = manifest_copy(program, node, sources, group)
        flags = tuple([(flag.name, flag.value) for flag in node.flags])
        rewrites.append(InsertStep(copy.step.index, "COPY", flags, ("list", "", words)))
        lines += line + newline_at(program.text, node.start)
    edits = edits_of(program, node, last.node, lines)
    what = ", ".join(dict.fromkeys([one.what for one in installs if one.what]))
    message = f"a change of the sources keeps the layer of {what}"
    if doubts:
        message += f" (open: {doubts[0]})"
    base = sources.destination.rstrip("/")
    declared = tuple([f"{base}/{path}**" if path.endswith("/") else f"{base}/{path}" for path in writes])
    fix = Fix(edits, tuple(rewrites), "unsafe" if doubts else "safe", Declares(declared) if doubts else None)
    return message, fix
