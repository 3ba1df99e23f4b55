"""Which COPY wrote what a chmod or chown names, and the fix that brings the two together."""

from __future__ import annotations

from dfopt.analysis.copied_paths import as_file, copied, is_new, writers_in
from dfopt.edit import Edit
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.command_removal import removals
from dfopt.editing.flag_edits import flags_edit
from dfopt.findings import Fix
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords
from dfopt.rewrites.copy_mode import ModeCommand, ModeIntoCopy, destination, is_default, leading_modes, window_of
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite


class MovedOperand(Record):
    """An operand of a chmod or chown that goes into the COPYs that wrote it. `keeps_command`: the command stays,
    without -R; `files`: the COPYs (indices) that are known to copy one file each."""

    command: ModeCommand
    index: int
    path: str
    writers: tuple[Step, ...]
    keeps_command: bool
    files: frozenset[int]


def files_known(program: Program, facts: Facts, first: Step, run: Step) -> frozenset[int]:
    """The COPYs (indices) that copy one file each, as the build context or the commands at the beginning of a RUN tell:
    of those around a COPY, up to the first instructions that are in the way of it all."""
    start, end = window_of(program, first)
    return program.once(("files in window", run.index, start, facts), _files, program, facts, run, start, end)


def _files(program: Program, facts: Facts, run: Step, start: int, end: int) -> frozenset[int]:
    known = program.once(("known files", run.stage, start, facts), _known_files, program, facts, run.stage, start, end)
    paths = [path for command in leading_modes(program.body(run)) for path in paths_of(program, run, command)]
    writers = writers_in(program, program.stages[run.stage], facts)
    told = {
        step.index
        for path in paths
        for step in writers.of_file(path, run)
        if start < step.index < end and step.index not in known and as_file(program, step, facts, path)
    }
    return known | told if told else known


def _known_files(program: Program, facts: Facts, stage: int, start: int, end: int) -> frozenset[int]:
    steps = program.stages[stage].steps
    first = start - program.stages[stage].position
    return frozenset(
        step.index for step in steps[first : first + end - start - 1]
        if (copy := copied(program, step, facts)) is not None and copy.single
    )  # fmt: skip


def paths_of(program: Program, step: Step, command: ModeCommand) -> Iterator[str]:
    """The paths that a command names, as far as they are known."""
    for word in command.operands:
        path = join_path(program.scope(step).workdir, word.value) if word.value is not None else None
        if isinstance(path, str):
            yield path


def writers_of(program: Program, facts: Facts, run: Step, path: str) -> list[Step]:
    """The COPYs of the stage whose files are at `path` when `run` begins, as far as is known."""
    known = writers_in(program, program.stages[run.stage], facts)
    for step in reversed(known.of_file(path, run)):
        if as_file(program, step, facts, path):
            return [step]
    return known.of(path, run) if path != "/" else []


def is_tree(program: Program, run: Step, writers: Sequence[Step], path: str) -> bool:
    """Whether `path` is a directory that a WORKDIR of the stage of `run` made, and all that is in it is what `writers`
    copied there behind it."""
    stage = program.stages[run.stage]
    maker = program.once(("makers", run.stage), _makers, program, stage).get(path)
    if maker is None or not is_new(program, maker, path):
        return False
    for step in program.steps_between(maker, writers[0]):
        if step.node.keyword not in ("ENV", "ARG", "LABEL", "EXPOSE", "USER", "MAINTAINER", "STOPSIGNAL", "WORKDIR"):
            return False
        if step.node.keyword == "WORKDIR" and destination(program, step) != path:
            return False
    return all(
        step.node.keyword == "COPY" and (target := destination(program, step)) is not None and covers(path, target)
        for step in writers
    )


def _makers(program: Program, stage: Stage) -> dict[str | None, Step]:
    """The directories of a stage's WORKDIRs -> the first that names each."""
    found: dict[str | None, Step] = {}
    for step in stage.steps:
        if step.node.keyword == "WORKDIR":
            found.setdefault(destination(program, step), step)
    return found


def message_of(operands: Sequence[MovedOperand]) -> str:
    """What a fix does, in a line."""
    flags = sorted({"=".join(operand.command.flag) for operand in operands if not is_default(operand.command.flag)})
    if not flags:
        return "COPY gives the files to root: `chown` stores them a second time"
    names = " and ".join([f"--{flag}" for flag in flags])
    return f"copy with {names}: in a later layer, the files are stored a second time"


def fix_of(program: Program, step: Step, operands: Sequence[MovedOperand]) -> Fix:
    """The fix that moves operands out of a RUN. Raises Refusal where an edit is not possible."""
    edits, rewrites = _copies(program, step, operands)
    body = program.body(step)
    whole = []
    by_command: dict[int, list[MovedOperand]] = {}
    for operand in operands:
        by_command.setdefault(operand.command.node.start, []).append(operand)
    for start, its_operands in by_command.items():
        command, words = its_operands[0].command, its_operands[0].command.node.words
        if any(operand.keeps_command for operand in its_operands):
            removed = [command.option]
        elif len(its_operands) == len(command.operands):
            whole.append(command.node)
            continue
        else:
            removed = [len(words) - len(command.operands) + operand.index for operand in its_operands]
        for index in sorted(removed, reverse=True):
            begin = body.span(words[index - 1].end, words[index].end)[0]
            edits.append(Edit(begin, body.span(words[index].start, words[index].end)[1], ""))
            rewrites.append(EditWords(step.index, start, index, 1, ()))
    if whole and len(whole) == len(program.commands(step).invocations):
        if step.node.above or step.node.comments:
            raise Refusal("a comment documents the RUN", "remove the comment, or move it to the COPY")
        return Fix((*edits, whole_step(program.text, step)), (*rewrites, RemoveStep(step.index)), "safe")
    if whole:
        removals_, removing = removals(program, step, body, whole)
        edits += removals_
        rewrites += removing
    return Fix(tuple(edits), tuple(rewrites), "safe")


def _copies(program: Program, step: Step, operands: Sequence[MovedOperand]) -> tuple[list[Edit], list[Rewrite]]:
    """The edits that give COPYs their flags, and what they do. Raises Refusal."""
    rewrites: list[Rewrite] = []
    flags: dict[int, dict[str, tuple[str, str]]] = {}  # COPY -> kind of flag -> flag
    for operand in operands:
        command = operand.command
        for writer in operand.writers:
            of_writer = flags.setdefault(writer.index, {})
            if command.flag[0] in of_writer:
                raise Refusal("two commands give the same file different modes", "keep the command that counts")
            of_writer[command.flag[0]] = command.flag
        copies = tuple([writer.index for writer in operand.writers])
        rewrites.append(ModeIntoCopy(copies, step.index, command.node.start, operand.path, command.flag, operand.files))
    writers = {writer.index: writer for operand in operands for writer in operand.writers}
    edits: list[Edit] = []
    for index, of_writer in flags.items():
        added = [f"--{kind}={value}" for kind, value in of_writer.values() if not is_default((kind, value))]
        edits += [flags_edit(program, writers[index], added)] if added else []
    return edits, rewrites
