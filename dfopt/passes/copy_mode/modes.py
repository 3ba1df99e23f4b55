"""Which COPY wrote what a chmod or chown names, and the fix that brings the two together."""

from __future__ import annotations

from dfopt.analysis.copied_paths import another_file, as_file, copied, is_new
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
from dfopt.rewrites.copy_mode import ModeCommand, ModeIntoCopy, is_default, written
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite


class Moved(Record):
    """An operand of a chmod or chown that goes into the COPYs that wrote it; `keep`: the command stays, without -R."""

    command: ModeCommand
    index: int
    path: str
    writers: tuple[Step, ...]
    keep: bool
    files: tuple[int, ...]


def single_files(
    program: Program, facts: Facts, stage: Stage, run: Step, leading: Sequence[ModeCommand]
) -> tuple[int, ...]:
    """The COPYs (indices) in front of a RUN that copy one file each, as the build context or the commands tell."""
    paths = [path for command in leading for path in paths_of(program, run, command)]
    found: list[int] = []
    for step in stage.steps:
        if step.index < run.index and step.node.keyword in ("COPY", "ADD"):
            known = copied(program, step, facts)
            if known is not None and (known.single or any(as_file(program, step, facts, path) for path in paths)):
                found.append(step.index)
    return tuple(found)


def paths_of(program: Program, step: Step, command: ModeCommand) -> Iterator[str]:
    """The paths that a command names, as far as they are known."""
    for word in command.operands:
        path = join_path(program.scope(step).workdir, word.value) if word.value is not None else None
        if isinstance(path, str):
            yield path


def writers_of(program: Program, facts: Facts, stage: Stage, run: Step, path: str) -> list[Step]:
    """The COPYs of the stage whose files are at `path` when `run` begins, as far as is known."""
    copies = [step for step in stage.steps if step.index < run.index and step.node.keyword in ("COPY", "ADD")]
    for step in reversed(copies):
        if as_file(program, step, facts, path):
            return [step]
    found: list[Step] = []
    for step in copies:
        target = written(program, step)
        if target is None:
            continue
        beside = target == (path.rpartition("/")[0] or "/") and not another_file(program, step, path)
        if covers(path, target) or beside:
            found.append(step)
    return found if path != "/" else []


def is_tree(program: Program, stage: Stage, writers: Sequence[Step], path: str) -> bool:
    """Whether `path` is a directory that a WORKDIR of this stage made, and all that is in it is what `writers` copied
    there behind it."""
    maker = next(
        (step for step in stage.steps if step.node.keyword == "WORKDIR" and written(program, step) == path), None
    )
    if maker is None or not is_new(program, maker, path):
        return False
    for step in stage.steps:
        if not maker.index < step.index < writers[0].index:
            continue
        if step.node.keyword not in ("ENV", "ARG", "LABEL", "EXPOSE", "USER", "MAINTAINER", "STOPSIGNAL", "WORKDIR"):
            return False
        if step.node.keyword == "WORKDIR" and written(program, step) != path:
            return False
    return all(
        step.node.keyword == "COPY" and (target := written(program, step)) is not None and covers(path, target)
        for step in writers
    )


def message_of(moved: Sequence[Moved]) -> str:
    """What a fix does, in a line."""
    flags = sorted({"=".join(operand.command.flag) for operand in moved if not is_default(operand.command.flag)})
    if not flags:
        return "COPY gives the files to root: `chown` stores them a second time"
    flags = [f"--{flag}" for flag in flags]
    return f"copy with {' and '.join(flags)}: in a later layer, the files are stored a second time"


def fix_of(program: Program, step: Step, moved: Sequence[Moved]) -> Fix:
    """The fix that moves operands out of a RUN. Raises Refusal where an edit is not possible."""
    body = program.body(step)
    edits: list[Edit] = []
    rewrites: list[Rewrite] = []
    flags: dict[int, list[str]] = {}
    for one in moved:
        for writer in one.writers:
            given = flags.setdefault(writer.index, [])
            flag = f"--{one.command.flag[0]}={one.command.flag[1]}"
            if any(other.partition("=")[0] == flag.partition("=")[0] for other in given):
                raise Refusal("two commands give the same file different modes")
            given.append(flag)
        copies = tuple([writer.index for writer in one.writers])
        rewrites.append(ModeIntoCopy(copies, step.index, one.command.node.start, one.path, one.command.flag, one.files))
    steps = {writer.index: writer for one in moved for writer in one.writers}
    for index, given in flags.items():
        added = [flag for flag in given if not is_default((flag[2:].partition("=")[0], flag.partition("=")[2]))]
        edits += [flags_edit(program, steps[index], added)] if added else []
    whole = []
    commands = {one.command.node.start: one.command for one in moved}
    for start, command in commands.items():
        mine = [one for one in moved if one.command.node.start == start]
        words = command.node.words
        if any(one.keep for one in mine):
            gone = [command.option]
        elif len(mine) == len(command.operands):
            whole.append(command.node)
            continue
        else:
            gone = [words.index(command.operands[one.index]) for one in mine]
        for index in sorted(gone, reverse=True):
            begin = body.span(words[index - 1].end, words[index].end)[0]
            edits.append(Edit(begin, body.span(words[index].start, words[index].end)[1], ""))
            rewrites.append(EditWords(step.index, start, index, 1, ()))
    if whole and len(whole) == len(program.commands(step).invocations):
        if step.node.above or step.node.comments:
            raise Refusal("a comment speaks of the RUN")
        return Fix((*edits, whole_step(program.text, step)), (*rewrites, RemoveStep(step.index)), "safe")
    if whole:
        more, rest = removals(program, step, body, whole)
        edits += more
        rewrites += rest
    return Fix(tuple(edits), tuple(rewrites), "safe")
