"""What is copied for a RUN that uses it and deletes it becomes a bind mount of that RUN."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

from dfopt.analysis.copied_paths import NEW, TAKEN, as_file, copied, is_there, place_of, source_kind, writers_in
from dfopt.analysis.frontend import syntax_obstacle
from dfopt.editing.chain_edits import whole_step
from dfopt.editing.command_removal import without_cleanups
from dfopt.editing.flag_edits import flags_edit
from dfopt.findings import Benefit, Finding, Fix, refused
from dfopt.ir.effects import above, takes
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.rewrites.bind_for_copy import (
    LINKERS,
    BindForCopy,
    bind_values,
    check_names,
    check_unused,
    deleting,
    only_deletes,
    relatively,
    runs_between,
)
from dfopt.rewrites.cache_mounts import names_path, without_rm
from dfopt.rewrites.instructions import RemoveStep
from dfopt.syntax.mounts import parse_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.edit import Edit
    from dfopt.facts import Facts
    from dfopt.ir.effects import Effect
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite

# programs that only read the files they are given, by their names: none renames, links or replaces one
_READERS = frozenset(
    ("pip", "pip3", "apt-get", "apt", "apk", "dnf", "yum", "dpkg", "rpm", "tar", "unzip", "cat", "grep", "echo",
     "mkdir", "cp", "test", "[", "true", "ls", "useradd", "groupadd", "curl", "wget", "set", "rm", "printf",
     "sha256sum", "gpg", "install", "chmod", "cd", "export", "apt-key")
)  # fmt: skip


def mount_copied(name: str, engine: str, program: Program, facts: Facts, run: Step) -> Iterator[Finding]:
    """The COPYs whose files a RUN deletes. One fix for a RUN in a round. `name`: of the pass; `engine`: the setting of
    that name."""
    deleted = dict.fromkeys(e.path for e in program.effects(run) if e.kind == "deletes" and e.program == "rm")
    has_fix = False
    for target in deleted:
        copies = _writers(program, facts, run, target)
        if not copies or target == "/" or is_there(program, copies[0], target):
            continue
        try:
            fix = _fix(engine, program, facts, copies, run, target)
        except Refusal as refusal:
            message = f"{target} is deleted, but stays in the layer of line {copies[0].node.line}"
            yield refused(name, message, run.node.start, run.node.end, refusal)
            continue
        if not has_fix:
            has_fix = True
            message = f"mount {target} for the RUN that uses it, and deletes it"
            benefit = Benefit(layers=len(copies))
            yield Finding(name, message, copies[0].node.start, run.node.end, fix, benefit=benefit)


def _writers(program: Program, facts: Facts, run: Step, target: str) -> list[Step]:
    """The COPYs in front of a RUN, in its stage, that write to `target` or below. Where an earlier RUN deletes what
    some wrote, only the ones behind it."""
    stage = program.stages[run.stage]
    known = writers_in(program, stage, facts)
    found = {step.index: step for step in known.below(target, run)}
    found |= {step.index: step for step in known.of_file(target, run) if as_file(program, step, facts, target)}
    if not found:
        return []
    last = _last_deletion(program, run, target)
    return [found[index] for index in sorted(found) if index > last and found[index].node.keyword == "COPY"]


def _last_deletion(program: Program, step: Step, path: str) -> int:
    """The index of the last RUN in front of a step, in its stage, that deletes a path or what holds it; -1 for none."""
    deletions = program.once(("deletions", step.stage), _deletions, program, program.stages[step.stage])
    last = -1
    for place in above(path):
        at = deletions.get(place, ())
        before = bisect_left(at, step.index, key=itemgetter(0))
        last = max(last, at[before - 1][0] if before else -1)
    return last


def _deletions_before(program: Program, step: Step, path: str) -> Iterator[tuple[int, Effect]]:
    """What RUNs in front of a step, in its stage, delete: a path, or what holds it. With each RUN's index."""
    deletions = program.once(("deletions", step.stage), _deletions, program, program.stages[step.stage])
    for place in above(path):
        for index, effect in deletions.get(place, ()):
            if index >= step.index:
                break
            yield index, effect


def _deletions(program: Program, stage: Stage) -> dict[str, list[tuple[int, Effect]]]:
    found: dict[str, list[tuple[int, Effect]]] = {}
    for step in stage.steps:
        for effect in program.effects(step) if step.node.keyword == "RUN" else ():
            if effect.kind == "deletes":
                found.setdefault(effect.path, []).append((step.index, effect))
    return found


def _fix(engine: str, program: Program, facts: Facts, copies: Sequence[Step], run: Step, target: str) -> Fix:
    """The fix that mounts what COPYs copied. Raises Refusal."""
    files = program.once(("single files", run.index, facts), _single_files, program, facts, run)
    kinds = {
        source.value: kind
        for copy in copies
        for source in copy.node.arguments[:-1]
        if (kind := source_kind(copy, facts, source.value)) is not None
    }
    values = [value for copy in copies for value in bind_values(program, copy, target, kinds)]
    place, directory = place_of(program, copies[0], target), target.rpartition("/")[0] or "/"
    above_is_there = is_there(program, copies[0], directory)
    users = _users(program, copies, run, target)
    _check_deletion(program, run, target)
    check_unused(program, copies, run, users, target, files)
    for user in users:
        if program.once(("links", user.index), _links, program, user):
            raise Refusal("a link into a mount would dangle after the RUN", "copy the file instead of linking it")
        check_names(program, user, values)
    unread_mount = syntax_obstacle(program, engine, (1, 2), "RUN --mount")
    if unread_mount:
        raise Refusal(unread_mount)
    if place == TAKEN:
        raise Refusal(f"something may be at {target} before")
    if _deleted(program, copies[0], directory) or not (above_is_there or directory in table("base_paths")["present"]):
        raise Refusal(
            f"the directory above {target} may be there only because COPY makes it",
            f"make {directory} with `mkdir -p` or WORKDIR in front of the COPY",
        )
    _check_comments(copies, users or [run])
    if not users:
        raise Refusal("no RUN uses it", "remove the COPY")
    if only_deletes(program, run, target):
        if run.node.above or run.node.comments:
            raise Refusal("a comment documents the RUN", "remove the comment with the RUN")
        edits: list[Edit] = [whole_step(program.text, run)]
        rewrites: list[Rewrite] = [RemoveStep(run.index)]
    else:
        edits, rewrites = without_cleanups(program, run, (target,), what=target)
    edits += [whole_step(program.text, copy) for copy in copies]
    edits += [flags_edit(program, user, [f"--mount={value}" for value in values]) for user in users]
    indices, mounting = tuple([copy.index for copy in copies]), tuple([user.index for user in users])
    rewrites.append(BindForCopy(indices, run.index, target, files, tuple(kinds.items()), mounting))
    text = program.body(run).text
    named = facts.context_paths() is not None or all(parse_mount(value)["target"] in text for value in values)
    alone = users == [run] and not any(step.node.keyword == "RUN" for step in program.steps_between(copies[0], run))
    safe = _only_reads(program, run) and alone and named and above_is_there and place == NEW
    return Fix(tuple(edits), tuple(rewrites), "safe" if safe else "unsafe")


def _links(program: Program, run: Step) -> bool:
    return any(invocation.program in LINKERS for invocation in program.commands(run).invocations)


def _check_deletion(program: Program, run: Step, target: str) -> None:
    if not deleting(program, run, target):
        if relatively(program, run, target):
            raise Refusal("the RUN deletes it by a relative name", f"delete {target} by its absolute name")
        raise Refusal("the RUN deletes it on a condition only, or not all of it")


def _check_comments(copies: Sequence[Step], users: Sequence[Step]) -> None:
    """Raises Refusal where a comment would be left without what it is about: COPYs that go; above COPYs right in front
    of the RUN, it is above the RUN."""
    if any(copy.node.comments for copy in copies):
        raise Refusal("a comment stands in the COPY", "put the comment above the COPY")
    indices = {copy.index for copy in copies}
    together = all(index in indices for index in range(copies[0].index, users[0].index))
    if any(copy.node.above for copy in copies) and not together:
        raise Refusal("a comment documents the COPY", "put the COPY right in front of the RUN")


def _only_reads(program: Program, run: Step) -> bool:
    """Whether a RUN calls nothing but programs that read the files they are given."""
    invocations = program.commands(run).invocations
    linking = any("-l" in invocation.values or "--link" in invocation.values for invocation in invocations)
    names = {invocation.program for invocation in invocations}
    return names <= _READERS and not linking and program.body(run).form != "mixed"


def _deleted(program: Program, copy: Step, path: str) -> bool:
    """Whether a RUN in front of a COPY, in its stage, deletes a directory or what holds it."""
    return any(takes(effect, path) for _, effect in _deletions_before(program, copy, path))


def _users(program: Program, copies: Sequence[Step], run: Step, target: str) -> list[Step]:
    """The RUNs that name `target`, or what is below, and not only to delete it."""
    users: list[Step] = []
    for step in (*runs_between(program, copies[0], run), run):
        if step.node.keyword == "RUN" and program.body(step).program is not None:
            text = without_rm(program, step, program.body(step).text, forced=False)
            if names_path(text, target) or (step is run and not only_deletes(program, run, target) and not users):
                users.append(step)
    return users


def _single_files(program: Program, facts: Facts, run: Step) -> frozenset[int]:
    """The COPYs (indices) of a stage that copy one file each, as the build context or the deletions of a RUN tell."""
    stage = program.stages[run.stage]
    known = program.once(("known single files", stage.index, facts), _known_files, program, facts, stage)
    writers = writers_in(program, stage, facts)
    deleted = dict.fromkeys(effect.path for effect in program.effects(run) if effect.kind == "deletes")
    told = {
        step.index for path in deleted for step in writers.of_file(path, run)
        if step.node.keyword == "COPY" and step.index not in known and as_file(program, step, facts, path)
    }  # fmt: skip
    return known | told if told else known


def _known_files(program: Program, facts: Facts, stage: Stage) -> frozenset[int]:
    return frozenset(
        step.index for step in stage.steps
        if step.node.keyword == "COPY" and (copy := copied(program, step, facts)) is not None and copy.single
    )  # fmt: skip
