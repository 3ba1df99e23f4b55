from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.keywords import instruction_above, keyword_edit
from dfopt.editing.layout import is_chain
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.cd_to_workdir.directory_scope import cd_directory, check_unseen, relative_mount
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import RemoveCommand
from dfopt.rewrites.instructions import InsertStep, WorkdirForCd
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_BACK = regex(r"OLDPWD|\bcd\s+-|~-")


class CdToWorkdir(Pass):
    """Writes `RUN cd DIR && ...` as WORKDIR and a RUN without the `cd`.

    Where WORKDIR says that directory already, only the `cd` goes. A RUN that is nothing but `cd DIR` becomes a WORKDIR.

    Why: the directory that a step works in stands at one place. A `cd` alone in a RUN does nothing for what follows,
    which its author rarely knows.

    Example:

    ```dockerfile
    FROM golang:1.24 AS build
    COPY . /src
    RUN cd /src && go build -o /server .

    FROM scratch
    COPY --from=build /server /server
    ```

    ```dockerfile
    FROM golang:1.24 AS build
    COPY . /src
    WORKDIR /src
    RUN go build -o /server .

    FROM scratch
    COPY --from=build /server /server
    ```

    Refuses: where a later step, or the image itself, would see the new directory before an absolute WORKDIR sets
    another; `cd -` and `$OLDPWD`; mounts with relative targets; a comment between the `cd` and the next command. Only
    fixed absolute directories, and only at the front of one `&&` chain, are looked at.

    Declares: a WORKDIR instruction comes, and the `cd` goes. `unsafe`, as it adds a layer and, for a `cd` alone,
    changes the directory that later steps and the program start in; `safe` where WORKDIR is that directory already.
    """

    name = "cd-to-workdir"
    group = "modernize"
    phase = "layers"
    codes = ("DL3003", "DS-0013")
    default = False
    triggers = ("cd ", "cd\t")
    order = 65
    declares = Declares(settings=("WorkingDir",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for position, step in enumerate(stage.steps):
                if step.node.keyword == "RUN" and step.node.body.startswith("cd"):
                    finding = self.check(program, stage, position, step)
                    if finding is not None:
                        yield finding

    def check(self, program: Program, stage: Stage, position: int, step: Step) -> Finding | None:
        node = step.node
        directory = cd_directory(program, step)
        body = program.body(step)
        if directory is None or body.program is None or body.form != "line":
            return None
        first = body.program.script.items[0]
        command = first.command
        if len(body.program.script.items) > 1 or first.terminator:
            return None
        if isinstance(command, SimpleCommand):
            return self.alone(program, stage, position, step, directory)
        if not isinstance(command, AndOr) or not is_chain(body):
            return None
        begin, end = body.span(command.items[0].start, command.items[1].start + 1)
        drop = Edit(begin, end - 1, "")
        remove = RemoveCommand(step.index, command.items[0].start)
        message = f"WORKDIR {directory} in place of cd"
        try:
            if _BACK.search(body.text):
                raise Refusal("the step asks for the directory that it came from")
            if any(begin < comment.start < end for comment in node.comments):
                raise Refusal("a comment stands between cd and the next command", "put the comment above the RUN")
            if program.scope(step).workdir == join_path("/", directory):
                message = f"cd {directory} is where the step starts"
                return Finding(self.name, message, node.start, node.end, Fix((drop,), (remove,), "safe"))
            if relative_mount(step):
                raise Refusal("a mount's target counts from the working directory", "give the mount an absolute target")
            check_unseen(program, stage, position + 1)
        except Refusal as refusal:
            return refused(self.name, message, node.start, node.end, refusal)
        insert = InsertStep(step.index, "WORKDIR", (), ("text", "", (directory,)))
        edits = (instruction_above(program.text, node, "WORKDIR", directory), drop)
        return Finding(self.name, message, node.start, node.end, Fix(edits, (insert, remove), "unsafe"))

    def alone(self, program: Program, stage: Stage, position: int, step: Step, directory: str) -> Finding | None:
        node = step.node
        message = f"cd ends with its RUN: WORKDIR {directory} would hold for what follows"
        keyword = keyword_edit(program.text, node, "WORKDIR")
        try:
            check_unseen(program, stage, position + 1, at_the_end=False)
        except Refusal as refusal:
            return Finding(self.name, f"{message} ({refusal.reason})", node.start, node.end)
        if node.flags or keyword is None or node.comments:
            return Finding(self.name, message, node.start, node.end)
        begin, end = node.body_span(0, len(node.body))
        fix = Fix(
            (keyword, Edit(begin, end, directory)),
            (WorkdirForCd(step.index, directory),),
            "unsafe",
        )
        return Finding(self.name, message, node.start, node.end, fix)
