from __future__ import annotations

from dfopt.ir.copy_mode import between, written
from dfopt.ir.dead import LINKERS, BindForCopy, DeleteEarlier, apart, bind_value, deleting, first_rm
from dfopt.ir.effects import covers
from dfopt.ir.rewrite import AppendCommand, RemoveStep, RewriteError
from dfopt.ir.rewrite import check_append as checked
from dfopt.passes._cache_edits import removals, without_cleanups
from dfopt.passes._chain import whole_step
from dfopt.passes._frontend import unread
from dfopt.passes._layout import append_edit
from dfopt.passes._mounts import flags_edit
from dfopt.passes._paths import as_file, copied, is_new, is_there
from dfopt.passes.base import Facts, Finding, Fix, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program, Stage, Step
    from dfopt.ir.rewrite import Rewrite

# programs that only read the files they are given, by their names: none renames, links or replaces one
_READERS = frozenset(
    ("pip", "pip3", "apt-get", "apt", "apk", "dnf", "yum", "dpkg", "rpm", "tar", "unzip", "cat", "grep", "echo",
     "mkdir", "cp", "test", "[", "true", "ls", "useradd", "groupadd", "curl", "wget", "set", "rm", "printf",
     "sha256sum", "gpg", "install", "chmod", "cd", "export", "apt-key")
)  # fmt: skip


class DeadFiles(Pass):
    """Keeps files that are deleted again out of the image, where joining RUNs cannot.

    A file that one instruction writes and a later one deletes stays in the layer for ever. merge-run joins neighbouring
    RUNs; this pass handles the rest: what COPY brings for a RUN that uses it and deletes it becomes a bind mount of
    that RUN, and an `rm` that comes too late, behind a COPY or ENV, moves to the end of the RUN that wrote the files.

    Why: dead bytes are pulled and stored with every image. Measured: 62 MB less where
    an archive of 62 MB is copied, unpacked and deleted.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    COPY requirements.txt /tmp/
    RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm /tmp/requirements.txt
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt,rw \\
        pip install --no-cache-dir -r /tmp/requirements.txt
    ```

    Refuses: where a file or a directory may be at the place before, or its parent may not; where it is not known
    whether COPY copies one file; COPY with other flags than `--from`; where a step between uses the files; where the
    RUN moves or links them; RUN --mount where nothing shows that BuildKit reads the file. Where the RUN runs a program
    that might replace or link the files (a script, make), the fix is `unsafe`.

    Declares: COPY goes, RUN gains a mount and loses its `rm`; or the `rm` leaves one RUN and ends another.
    """

    name = "dead-files"
    group = "size"
    triggers = ("rm",)
    order = 24

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        shipped = program.shipped()
        for stage in program.stages:
            if stage.index not in shipped:
                continue
            for step in stage.steps:
                if step.node.keyword == "RUN" and "rm" in program.text[step.node.start : step.node.end]:
                    if program.body(step).program is None:
                        continue
                    yield from self.brought(program, facts, stage, step)
                    yield from self.late(program, stage, step)

    def brought(self, program: Program, facts: Facts, stage: Stage, run: Step) -> Iterator[Finding]:
        """The COPYs of which a RUN deletes what they brought. One fix for a RUN in a round."""
        fixed = False
        for copy in stage.steps:
            if copy.node.keyword != "COPY" or copy.index > run.index:
                continue
            to = written(program, copy)
            deleted = [e.path for e in program.effects(run) if e.kind == "deletes" and e.program == "rm"]
            target = next((p for p in deleted if p == to or as_file(program, copy, facts, p)), None)
            if target is None or target == "/" or is_there(program, copy, target):
                continue
            message = f"mount {target} for the RUN that uses it, and deletes it"
            try:
                fix = self.bound(program, facts, copy, run, target)
            except RewriteError as error:
                yield Finding(self.name, f"{target} is deleted, but stays in the layer of line {copy.node.line}",
                              run.node.start, run.node.end, None, str(error))  # fmt: skip
                continue
            if not fixed:
                fixed = True
                yield Finding(self.name, message, copy.node.start, run.node.end, fix)

    def bound(self, program: Program, facts: Facts, copy: Step, run: Step, target: str) -> Fix:
        """The fix that mounts what a COPY copied. Raises RewriteError."""
        value = bind_value(copy, target)
        reason = "COPY says more than a mount can" if value is None else ""
        if not deleting(program, run, target):
            reason = "the RUN deletes it on a condition only"
        elif any(one.program in LINKERS for one in program.commands(run).invocations):
            reason = "a link into a mount is another thing than a link to a file"
        files = self.files(program, facts, copy, run)
        reason = reason or between(program, [copy], run, target, False, files)
        reason = reason or unread(program, self.shared["engine"], (1, 2), "RUN --mount")
        single = as_file(program, copy, facts, target)
        if not reason and not single and written(program, copy) != target:
            reason = f"whether {target} is one file is not known"
        if not reason and not is_new(program, copy, target):
            reason = f"what is at {target} before is not known"
        if not reason and not is_there(program, copy, target.rpartition("/")[0] or "/"):
            reason = f"the directory above {target} may be there only because COPY makes it"
        if not reason and (copy.node.above or copy.node.comments):
            reason = "a comment speaks of the COPY"
        if reason:
            raise RewriteError(reason)
        edits, rewrites = without_cleanups(program, run, (target,), what=target)
        if len(program.commands(run).invocations) < 2:
            raise RewriteError("the RUN does nothing else")
        edits += [whole_step(program.text, copy), flags_edit(program, run, [f"--mount={value}"])]
        rewrites.append(BindForCopy(copy.index, run.index, target, files))
        names = {one.program for one in program.commands(run).invocations}
        linking = any("-l" in one.values or "--link" in one.values for one in program.commands(run).invocations)
        known = names <= _READERS and not linking and program.body(run).form != "mixed"
        return Fix(tuple(edits), tuple(rewrites), "safe" if known else "unsafe")

    def files(self, program: Program, facts: Facts, copy: Step, run: Step) -> tuple[int, ...]:
        """The COPYs (indices) between the two that copy one file each, as context or deletions tell."""
        deleted = [effect.path for effect in program.effects(run) if effect.kind == "deletes"]
        found: list[int] = []
        for step in program.stages[run.stage].steps:
            if copy.index < step.index < run.index and step.node.keyword == "COPY":
                known = copied(program, step, facts)
                if known is not None and (known.single or any(as_file(program, step, facts, p) for p in deleted)):
                    found.append(step.index)
        return tuple(found)

    def late(self, program: Program, stage: Stage, run: Step) -> Iterator[Finding]:
        """An `rm` at the beginning of a RUN that belongs to an earlier one."""
        found = first_rm(program, run)
        earlier = [step for step in stage.steps if step.index < run.index and step.node.keyword == "RUN"]
        if found is None or not earlier or earlier[-1].index == run.index - 1:
            return  # behind a RUN: merge-run joins the two
        offset, words = found
        writer = earlier[-1]
        paths = [word.split("*")[0].rstrip("/") for word in words[2:]]
        made = [e for e in program.effects(writer) if e.kind == "creates" and any(covers(p, e.path) for p in paths)]
        if not made:
            return
        shown = made[0].path
        try:
            fix = self.earlier(program, writer, run, offset, words)
        except RewriteError as error:
            message = f"{shown} is deleted, but stays in the layer of line {writer.node.line}"
            yield Finding(self.name, message, run.node.start, run.node.end, None, str(error))
            return
        yield Finding(self.name, f"delete {shown} in the layer that holds it", writer.node.start, run.node.end, fix)

    def earlier(self, program: Program, writer: Step, run: Step, offset: int, words: tuple[str, ...]) -> Fix:
        """The fix that moves the `rm` to the end of the RUN that wrote what it deletes. Raises RewriteError."""
        reason = apart(program, writer, run, words)
        body, own = program.body(writer), program.body(run)
        if reason or body.program is None or own.program is None or body.form not in ("line", "script"):
            raise RewriteError(reason or body.why or "the earlier RUN carries heredocs")
        operator = ";" if body.form == "script" else "&&"
        checked(body, operator)
        edits = [append_edit(program, writer, body, " ".join(words), operator)]
        rewrites: list[Rewrite] = [AppendCommand(writer.index, words, operator)]
        invocations = program.commands(run).invocations
        if len(invocations) == 1:
            if run.node.above or run.node.comments:
                raise RewriteError("a comment speaks of the RUN")
            edits.append(whole_step(program.text, run))
            rewrites.append(RemoveStep(run.index))
        else:
            more, gone = removals(program, run, own, [invocations[0].node])
            edits += more
            rewrites += gone
        return Fix(tuple(edits), (*rewrites, DeleteEarlier(run.index, offset, writer.index)), "safe")
