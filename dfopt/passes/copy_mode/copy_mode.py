from __future__ import annotations

from dfopt.analysis.copied_paths import as_file, is_new, is_there
from dfopt.analysis.frontend import syntax_obstacle
from dfopt.analysis.run_steps import run_text
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, refused
from dfopt.ir.scopes import join_path
from dfopt.passes.base import Pass
from dfopt.passes.copy_mode.modes import MovedOperand, files_known, fix_of, is_tree, message_of, paths_of, writers_of
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import check_between, check_may, destination, leading_modes, mode_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
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
    tiers = ("safe",)
    phase = "layers"
    triggers = ("chmod", "chown")
    order = 18
    declares = Declares(paths=("/dev", "/proc", "/sys"))  # a RUN makes these in an image that lacks them

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                text = run_text(program, step) if step.node.keyword == "RUN" else ""
                if "chmod" in text or "chown" in text:
                    yield from self.check(program, facts, step)

    def check(self, program: Program, facts: Facts, step: Step) -> Iterator[Finding]:
        """One fix for all that can be moved out of a RUN; a refusal for each command that concerns a COPY otherwise."""
        body = program.body(step)
        if body.program is None or body.form == "mixed":
            return
        operands: list[MovedOperand] = []
        leading = leading_modes(body)
        for command in leading:
            for index in range(len(command.operands)):
                try:
                    operand = self.move(program, facts, step, command, index)
                except Refusal as refusal:
                    yield self.refuse(step, command.node.words[0].value or "", refusal)
                else:
                    operands += [operand] if operand is not None else []
        starts = {command.node.start for command in leading}
        for invocation in program.commands(step).invocations:
            if invocation.node.start in starts or invocation.wrappers or invocation.nested:
                continue
            later = mode_command(invocation.node)
            paths = paths_of(program, step, later) if later is not None else ()
            if any(writers_of(program, facts, step, path) for path in paths):
                name = invocation.program or ""
                yield self.refuse(step, name, Refusal("the RUN does something else first", f"put `{name}` first in it"))
        if operands:
            try:
                fix = fix_of(program, step, operands)
                yield Finding(self.name, message_of(operands), step.node.start, step.node.end, fix)
            except Refusal as refusal:
                yield self.refuse(step, operands[0].command.node.words[0].value or "", refusal)

    def move(self, program: Program, facts: Facts, step: Step, command: ModeCommand, index: int) -> MovedOperand | None:
        """One operand's move into its COPY; None where no COPY wrote it, or it is done. Raises Refusal."""
        value = command.operands[index].value
        path = join_path(program.scope(step).workdir, value) if value is not None else None
        writers = writers_of(program, facts, step, path) if isinstance(path, str) else []
        if not isinstance(path, str) or not writers:
            return None
        check_may(program, step, writers, command, path)
        kind = command.flag[0]
        if all((kind, getattr(writer.node.flag(kind), "value", None)) == command.flag for writer in writers):
            return None
        is_file = len(writers) == 1 and as_file(program, writers[0], facts, path)
        if not is_file and not command.recursive:
            context = "give the build context (--context)" if facts.context_paths() is None else ""
            raise Refusal(
                f"whether {path} is one file is not known", context or "give the directory with / and the file's name"
            )
        for writer in writers:
            if any(flag.name in (kind, "link", "parents", "exclude") for flag in writer.node.flags):
                raise Refusal(f"line {writer.node.line} has flags of its own")
        unread_flag = syntax_obstacle(program, self.shared["engine"], (1, 2), "--chmod") if kind == "chmod" else ""
        if unread_flag:
            raise Refusal(unread_flag)
        files = files_known(program, facts, writers[0], step)
        check_between(program, writers, step, path, command.names, files)
        if not is_file and kind == "chmod":
            raise Refusal("of a directory, --chmod would change all but the directory itself")
        whole = len(writers) == 1 and destination(program, writers[0]) == path and is_new(program, writers[0], path)
        keeps_command = not is_file and not whole
        if keeps_command and not (is_tree(program, step, writers, path) and len(command.operands) == 1):
            raise Refusal(
                f"what is in {path} before the COPY is not known",
                f"make {path} with WORKDIR in front of the COPY, or give the COPY the owner: --chown={command.flag[1]}",
            )
        if not keeps_command and kind == "chown" and not is_there(program, writers[0], path.rpartition("/")[0] or "/"):
            raise Refusal(
                f"the directories above {path} would get this owner too, if COPY makes them",
                "make them with WORKDIR or `mkdir -p` in front of the COPY",
            )
        return MovedOperand(command, index, path, tuple(writers), keeps_command, files)

    def refuse(self, step: Step, name: str, refusal: Refusal) -> Finding:
        message = f"`{name}` stores copied files a second time"
        return refused(self.name, message, step.node.start, step.node.end, refusal)
