from __future__ import annotations

from dfopt.analysis.copied_paths import as_file, is_new, is_there
from dfopt.analysis.frontend import unread
from dfopt.analysis.run_steps import run_text
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding
from dfopt.ir.scopes import join_path
from dfopt.passes.base import Pass
from dfopt.passes.copy_mode.modes import Moved, fix_of, is_tree, message_of, paths_of, single_files, writers_of
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import between, leading_modes, mode_command, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.copy_mode import ModeCommand


class CopyMode(Pass):
    """Gives files their mode and owner when they are copied, not in a RUN behind it.

    `chmod` and `chown` in a later layer store every file a second time. COPY can do both: `--chmod` (octal) and
    `--chown`. Where the RUN does more, it keeps the rest; a directory that WORKDIR made keeps its own `chown`, without
    `-R`.

    Why: what the RUN touches is in the image twice. Measured: 58 MB less where Python packages of 58 MB got an owner.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM debian:13-slim
    COPY entrypoint.sh server /usr/local/bin/
    COPY health.sh /usr/local/bin/
    RUN chmod 755 /usr/local/bin/health.sh
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM debian:13-slim
    COPY entrypoint.sh server /usr/local/bin/
    COPY --chmod=755 health.sh /usr/local/bin/
    ```

    Refuses: symbolic modes (what `+x` gives depends on the file's own mode), setuid bits; where it is not known whether
    a file or a directory is copied (the build context tells, or the source's extension, or that the stage runs it), or
    what is at its place before; where COPY would also make directories that `chown` leaves alone; where a RUN between
    sees the file; where the RUN does something else first; `--link`; `--chmod` where nothing shows that BuildKit reads
    the file.

    Declares: COPY gains a flag; the command, or what it says of this path, goes.
    """

    name = "copy-mode"
    group = "size"
    phase = "layers"
    triggers = ("chmod", "chown")
    order = 18
    declares = Declares(paths=("/dev", "/proc", "/sys"))  # a RUN makes these in an image that lacks them

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                text = run_text(program, step) if step.node.keyword == "RUN" else ""
                if "chmod" in text or "chown" in text:
                    yield from self.check(program, facts, stage, step)

    def check(self, program: Program, facts: Facts, stage: Stage, step: Step) -> Iterator[Finding]:
        """One fix for all that can be moved out of a RUN; a refusal for each command that concerns a COPY otherwise."""
        body = program.body(step)
        if body.program is None or body.form == "mixed":
            return
        moved: list[Moved] = []
        leading = leading_modes(body)
        files = single_files(program, facts, stage, step, leading) if leading else ()
        for command in leading:
            for index in range(len(command.operands)):
                made = self.move(program, facts, stage, step, command, index, files)
                if isinstance(made, Moved):
                    moved.append(made)
                elif made:
                    yield self.refuse(step, command.node.words[0].value or "", made)
        starts = [one.node.start for one in leading]
        for one in program.commands(step).invocations:
            later = None if one.node.start in starts or one.wrappers or one.nested else mode_command(one.node)
            named = paths_of(program, step, later) if later is not None else ()
            if any(writers_of(program, facts, stage, step, path) for path in named):
                yield self.refuse(step, one.program or "", "the RUN does something else first")
        if moved:
            try:
                fix = fix_of(program, step, moved)
                yield Finding(self.name, message_of(moved), step.node.start, step.node.end, fix)
            except Refusal as error:
                yield self.refuse(step, moved[0].command.node.words[0].value or "", str(error))

    def move(
        self,
        program: Program,
        facts: Facts,
        stage: Stage,
        step: Step,
        command: ModeCommand,
        index: int,
        files: tuple[int, ...],
    ) -> Moved | str:
        """One operand's move into its COPY; else why not, "" where no COPY wrote it, or it is done."""
        value = command.operands[index].value
        path = join_path(program.scope(step).workdir, value) if value is not None else None
        writers = writers_of(program, facts, stage, step, path) if isinstance(path, str) else []
        if not isinstance(path, str) or not writers:
            return ""
        if command.why:
            return command.why
        kind = command.flag[0]
        if all((kind, getattr(writer.node.flag(kind), "value", None)) == command.flag for writer in writers):
            return ""
        file = len(writers) == 1 and as_file(program, writers[0], facts, path)
        if not file and not command.recursive:
            return f"whether {path} is one file is not known"
        for writer in writers:
            if any(flag.name in (kind, "link", "parents", "exclude") for flag in writer.node.flags):
                return f"line {writer.node.line} has flags of its own"
        reason = unread(program, self.shared["engine"], (1, 2), "--chmod") if kind == "chmod" else ""
        reason = reason or between(program, writers, step, path, command.names, files)
        if reason:
            return reason
        keep = False
        above = path.rpartition("/")[0] or "/"
        if not file and kind == "chmod":
            return "of a directory, --chmod would change all but the directory itself"
        if not file and not (len(writers) == 1 and written(program, writers[0]) == path):
            keep = True
        if not file and not keep and not is_new(program, writers[0], path):
            keep = True
        if keep and not (is_tree(program, stage, writers, path) and len(command.operands) == 1):
            return f"what is in {path} before the COPY is not known"
        if not keep and kind == "chown" and not is_there(program, writers[0], above):
            return f"the directories above {path} would get this owner too, if COPY makes them"
        return Moved(command, index, path, tuple(writers), keep, files)

    def refuse(self, step: Step, name: str, reason: str) -> Finding:
        message = f"`{name}` stores copied files a second time"
        return Finding(self.name, message, step.node.start, step.node.end, None, reason)
