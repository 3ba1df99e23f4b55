"""What COPY brings for a RUN that uses it and deletes it: a bind mount of that RUN."""

from __future__ import annotations

from dfopt.analysis.copied_paths import NEW, TAKEN, as_file, copied, is_there, place_of, source_kind
from dfopt.analysis.frontend import unread
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.command_removal import without_cleanups
from dfopt.editing.flag_edits import flags_edit
from dfopt.findings import Finding, Fix
from dfopt.ir.effects import covers, takes
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.rewrites.bind_for_copy import (
    LINKERS,
    BindForCopy,
    bind_values,
    deleting,
    only_deletes,
    open_names,
    relatively,
    unused,
)
from dfopt.rewrites.cache_mounts import names_path, without_rm
from dfopt.rewrites.copy_mode import written
from dfopt.rewrites.instructions import RemoveStep
from dfopt.syntax.mounts import parse_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.edit import Edit
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite

# programs that only read the files they are given, by their names: none renames, links or replaces one
_READERS = frozenset(
    ("pip", "pip3", "apt-get", "apt", "apk", "dnf", "yum", "dpkg", "rpm", "tar", "unzip", "cat", "grep", "echo",
     "mkdir", "cp", "test", "[", "true", "ls", "useradd", "groupadd", "curl", "wget", "set", "rm", "printf",
     "sha256sum", "gpg", "install", "chmod", "cd", "export", "apt-key")
)  # fmt: skip


def brought(name: str, engine: str, program: Program, facts: Facts, run: Step) -> Iterator[Finding]:
    """The COPYs of which a RUN deletes what they brought. One fix for a RUN in a round. `name`: of the pass; `engine`:
    the setting of that name."""
    deleted = dict.fromkeys(e.path for e in program.effects(run) if e.kind == "deletes" and e.program == "rm")
    fixed = False
    for target in deleted:
        copies = _writers(program, facts, run, target)
        if not copies or target == "/" or is_there(program, copies[0], target):
            continue
        try:
            fix = bound(engine, program, facts, copies, run, target)
        except Refusal as error:
            message = f"{target} is deleted, but stays in the layer of line {copies[0].node.line}"
            yield Finding(name, message, run.node.start, run.node.end, None, str(error))
            continue
        if not fixed:
            fixed = True
            message = f"mount {target} for the RUN that uses it, and deletes it"
            yield Finding(name, message, copies[0].node.start, run.node.end, fix)


def _writers(program: Program, facts: Facts, run: Step, target: str) -> list[Step]:
    """The COPYs in front of a RUN, in its stage, that write to `target` or below. Where an earlier RUN deletes what
    some wrote, only the ones behind it."""
    found: list[Step] = []
    for step in program.stages[run.stage].steps:
        if step.index >= run.index:
            break
        if step.node.keyword == "COPY":
            to = written(program, step)
            if (to is not None and covers(target, to)) or as_file(program, step, facts, target):
                found.append(step)
        elif step.node.keyword == "RUN" and any(
            one.kind == "deletes" and covers(one.path, target) for one in program.effects(step)
        ):
            found = []
    return found


def bound(engine: str, program: Program, facts: Facts, copies: Sequence[Step], run: Step, target: str) -> Fix:
    """The fix that mounts what COPYs copied. Raises Refusal."""
    files = _single_files(program, facts, copies[0], run)
    kinds = {
        one.value: kind
        for copy in copies
        for one in copy.node.arguments[:-1]
        if (kind := source_kind(copy, facts, one.value)) is not None
    }
    values = [value for copy in copies for value in bind_values(program, copy, target, kinds)]
    place, above = place_of(program, copies[0], target), target.rpartition("/")[0] or "/"
    there = is_there(program, copies[0], above)
    users = _users(program, copies, run, target)
    reason = "" if deleting(program, run, target) else "the RUN deletes it on a condition only, or not all of it"
    if reason and relatively(program, run, target):
        reason = "the RUN deletes it by a relative name"
    reason = reason or unused(program, copies, run, users, target, files)
    for user in users:
        if any(one.program in LINKERS for one in program.commands(user).invocations):
            reason = reason or "a link into a mount is another thing than a link to a file"
        reason = reason or open_names(program, user, values)
    reason = reason or unread(program, engine, (1, 2), "RUN --mount")
    if not reason and place == TAKEN:
        reason = f"something may be at {target} before"
    gone = _deleted(program, copies[0], above)
    if not reason and (gone or (not there and above not in table("base_paths")["present"])):
        reason = f"the directory above {target} may be there only because COPY makes it"
    if not reason and any(copy.node.comments for copy in copies):
        reason = "a comment stands in the COPY"
    if not reason and any(copy.node.above for copy in copies) and not _together(copies, users or [run]):
        reason = "a comment speaks of the COPY"
    if not reason and not users:
        reason = "no RUN uses it"
    if reason:
        raise Refusal(reason)
    if only_deletes(program, run, target):
        if run.node.above or run.node.comments:
            raise Refusal("a comment speaks of the RUN")
        edits: list[Edit] = [whole_step(program.text, run)]
        rewrites: list[Rewrite] = [RemoveStep(run.index)]
    else:
        edits, rewrites = without_cleanups(program, run, (target,), what=target)
    edits += [whole_step(program.text, copy) for copy in copies]
    edits += [flags_edit(program, user, [f"--mount={value}" for value in values]) for user in users]
    indices, mounted = tuple([copy.index for copy in copies]), tuple([user.index for user in users])
    rewrites.append(BindForCopy(indices, run.index, target, files, tuple(kinds.items()), mounted))
    text = program.body(run).text
    named = facts.context_paths() is not None or all(parse_mount(value)["target"] in text for value in values)
    names = {one.program for one in program.commands(run).invocations}
    linking = any("-l" in one.values or "--link" in one.values for one in program.commands(run).invocations)
    known = names <= _READERS and not linking and program.body(run).form != "mixed"
    alone = users == [run] and not any(one.node.keyword == "RUN" for one in program.between(copies[0], run))
    return Fix(
        tuple(edits), tuple(rewrites), "safe" if known and alone and named and there and place == NEW else "unsafe"
    )


def _deleted(program: Program, copy: Step, path: str) -> bool:
    """Whether a RUN in front of a COPY, in its stage, deletes a directory or what holds it."""
    return any(
        takes(effect, path)
        for step in program.stages[copy.stage].steps
        if step.index < copy.index and step.node.keyword == "RUN"
        for effect in program.effects(step)
    )


def _users(program: Program, copies: Sequence[Step], run: Step, target: str) -> list[Step]:
    """The RUNs that name `target`, or what is below, and not only to delete it."""
    found: list[Step] = []
    for step in (*program.between(copies[0], run), run):
        if step.node.keyword == "RUN" and program.body(step).program is not None:
            text = without_rm(program, step, program.body(step).text, forced=False)
            if names_path(text, target) or (step is run and not only_deletes(program, run, target) and not found):
                found.append(step)
    return found


def _together(copies: Sequence[Step], users: Sequence[Step]) -> bool:
    """Whether nothing stands between the COPYs and the RUN, so that a comment above them is above the RUN."""
    own = {copy.index for copy in copies}
    return all(index in own for index in range(copies[0].index, users[0].index))


def _single_files(program: Program, facts: Facts, first: Step, run: Step) -> tuple[int, ...]:
    """The COPYs (indices) between two steps that copy one file each, as context or deletions tell."""
    deleted = [effect.path for effect in program.effects(run) if effect.kind == "deletes"]
    found: list[int] = []
    for step in program.between(first, run):
        if step.node.keyword == "COPY":
            known = copied(program, step, facts)
            if known is not None and (known.single or any(as_file(program, step, facts, p) for p in deleted)):
                found.append(step.index)
    return tuple(found)
