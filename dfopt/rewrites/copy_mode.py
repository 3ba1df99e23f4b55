"""The declared rewrite that lets a COPY give its files the mode or owner that a later RUN gave them.

What BuildKit does with --chmod and --chown was measured with 0.13 (docker 26): --chown also holds for the directories
that the COPY makes, --chmod does not (they get 0755); `--chown=NAME` brings the user's own group along.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from heapq import merge
from operator import attrgetter

from dfopt.ir.effects import above, covers
from dfopt.ir.model import ModelInstruction
from dfopt.ir.scopes import join_path
from dfopt.ir.shell_body import memoized
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.syntax.expand import Unknown
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Model
    from dfopt.syntax.shell.nodes import Word

_OCTAL = regex(r"0?[0-7]{3}")
_NAME = regex(r"[a-z_][a-z0-9_-]*|\d+")
# instructions between that neither look at files nor change what a user's name stands for
UNSEEING = frozenset(
    ("ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER", "SHELL", "USER",
     "WORKDIR", "COPY", "ADD")
)  # fmt: skip


class ModeCommand(Record):
    """A chmod or chown. `flag`: the flag of COPY that says the same; `refusal`: why there is none; `names`: the owner
    is given by name; `recursive`: with -R, which is word `option` of the command (else -1)."""

    node: SimpleCommand
    flag: tuple[str, str]
    refusal: Refusal | None
    names: bool
    recursive: bool
    option: int
    operands: tuple[Word, ...]


def leading_modes(body: Body) -> list[ModeCommand]:
    """The chmod and chown commands with which a body's chain begins; all that are before the first other command."""
    return memoized(body, "leading modes", _leading_modes)


def _leading_modes(body: Body) -> list[ModeCommand]:
    assert body.program is not None
    items = body.program.script.items
    first = items[0].command
    parts = first.items if isinstance(first, AndOr) and "||" not in first.ops else (first,)
    if items[0].terminator == "&":
        return []
    leading: list[ModeCommand] = []
    for part in parts:
        command = mode_command(part) if isinstance(part, SimpleCommand) else None
        if command is None:
            break
        leading.append(command)
    return leading


def mode_command(node: SimpleCommand) -> ModeCommand | None:
    """A simple command as a chmod or chown; None where it is neither, or not a plain one."""
    values = [word.value for word in node.words]
    if node.redirects or node.assignments or not values or values[0] is None:
        return None
    name = values[0].rpartition("/")[2]
    if name not in ("chmod", "chown"):
        return None
    at, recursive, option = 1, False, -1
    refusal: Refusal | None = None
    while at < len(values):
        word = values[at]
        if word is None or not word.startswith("-") or word == "--" or re.match(r"-[rwxXst]", word):
            break
        if word in ("-R", "--recursive"):
            recursive, option = True, at
        elif word not in ("-v", "-c", "-f", "--verbose", "--changes"):
            refusal = Refusal(f"COPY has no flag for `{name} {word}`")
        at += 1
    if at + 1 >= len(values):
        return None
    flag, names = ("", ""), False
    try:
        flag, names = _flag(name, values[at])
    except Refusal as error:
        refusal = refusal or error.copy()
    return ModeCommand(node, flag, refusal, names, recursive, option, node.words[at + 1 :])


def _flag(name: str, value: str | None) -> tuple[tuple[str, str], bool]:
    """The flag of COPY for the mode of a chmod or the owner of a chown, and whether it gives an owner by name. Raises
    Refusal where there is none."""
    if value is None:
        raise Refusal(f"the {'mode' if name == 'chmod' else 'owner'} is not a fixed word")
    if name == "chmod":
        if _OCTAL.fullmatch(value):
            return ("chmod", value), False
        if value.isdigit():
            raise Refusal(f"the mode {value} holds more than permissions")
        raise Refusal(
            "what a symbolic mode gives depends on the file's own mode",
            "give the mode in octal, or set it in the build context (git update-index --chmod=+x)",
        )
    user, colon, group = value.partition(":")
    if (user and not _NAME.fullmatch(user)) or (group and not _NAME.fullmatch(group)) or (colon and not group):
        raise Refusal(f"the owner {value} is not plain", "write it as USER:GROUP")
    names = not all(part.isdigit() or part in ("", "root") for part in (user, group))
    return ("chown", f"{user or '0'}:{group or '0'}"), names


def is_default(flag: tuple[str, str]) -> bool:
    """Whether a flag of COPY says what COPY does without it: files belong to root and its group."""
    return flag[0] == "chown" and set(flag[1].split(":")) <= {"0", "root"}


def destination(program: Program, step: Step) -> str | None:
    """The last argument of a COPY, ADD or WORKDIR as an absolute path; None where it is not known."""
    return program.once(("destination", step.index), _destination, program, step)


def _destination(program: Program, step: Step) -> str | None:
    scope = program.scope(step)
    path = join_path(scope.workdir, scope.expand(step.node.arguments[-1].value, program.dockerfile.escape))
    return None if isinstance(path, Unknown) else path


def check_may(program: Program, step: Step, writers: Sequence[Step], command: ModeCommand, path: str) -> None:
    """Raises Refusal where a flag of COPY says something else, or would do what the RUN's own user may not."""
    if command.refusal is not None:
        raise command.refusal.copy()
    owned = command.flag[0] == "chmod" and all(writer.node.flag("chown") is not None for writer in writers)
    if program.scope(step).root is False and not owned:
        raise Refusal(f"the RUN does not run as root, and fails where {path} is root's", "put it in front of USER")


def window_of(program: Program, step: Step) -> tuple[int, int]:
    """The indices between which the steps around one are all of `UNSEEING`, both excluded."""
    stage = program.stages[step.stage]
    seeing = program.once(
        ("seeing", step.stage), lambda: [each.index for each in stage.steps if each.node.keyword not in UNSEEING]
    )
    at = bisect_left(seeing, step.index)
    end = stage.steps[-1].index + 1
    return seeing[at - 1] if at else stage.position, seeing[at] if at < len(seeing) else end


def check_between(
    program: Program, copies: Sequence[Step], run: Step, path: str, names: bool, files: frozenset[int] = frozenset()
) -> None:
    """Raises Refusal where a step between the first of some COPYs and a RUN could see, or change, what they put at
    `path`. `names`: the new owner is given by name; `files`: the COPYs (indices) that are known to copy one file."""
    indices = {copy.index for copy in copies}
    start, end = window_of(program, copies[0])
    between: Iterable[Step]
    if end in indices and end < run.index:
        between = program.steps_between(copies[0], run)
    else:
        writers = program.once(("window", copies[0].stage, start), _Window, program, copies[0])
        between = writers.near(program, path, names, files, copies[0].index, run.index)
    for step in between:
        if step.index in indices:
            continue
        node = step.node
        if node.keyword not in UNSEEING:
            raise Refusal(
                f"line {node.line} sees the file{', or may create its owner' if names else ''}",
                f"move the COPY after line {node.line}, if that line does not need the file",
            )
        if node.keyword in ("COPY", "ADD"):
            target = single_place(program, step) if step.index in files else None
            if target is not None and target != path:
                continue
            target = target or destination(program, step)
            if (
                target is None
                or covers(path, target)
                or (path.rpartition("/")[0] or "/") == target
                or covers(target, path)
            ):
                raise Refusal(f"line {node.line} may write there too")
            if names and (covers(target, _ACCOUNTS) or covers(_ACCOUNTS.rpartition("/")[0], target)):
                raise Refusal(f"line {node.line} may change who the owner is")


def _operands(command: ModeCommand, directory: str | Unknown) -> frozenset[str | Unknown]:
    """The paths that a command names."""
    return frozenset([join_path(directory, word.value) for word in command.operands if word.value])


def single_place(program: Program, step: Step) -> str | None:
    """Where a COPY that copies one file into a directory puts it; None where that is not said."""
    target, source = destination(program, step), step.node.arguments[0].value
    if target is None or "$" in source or step.node.arguments[-1].value[-1:] not in "/.":
        return None
    return f"{target.rstrip('/')}/{source.rpartition('/')[2]}"


class _Window:
    """The COPYs and ADDs of the window around a step, by the paths that they may concern, in order; and what ends the
    window."""

    def __init__(self, program: Program, around: Step) -> None:
        self.anywhere: list[Step] = []
        self.at: dict[str, list[Step]] = {}  # with this destination
        self.below: dict[str, list[Step]] = {}  # with a destination at a path, or below it
        self.single: dict[str, list[Step]] = {}  # at this path, if they copy one file
        self._others: dict[tuple[bool, str, frozenset[int]], Sequence[Step]] = {}
        start, end = window_of(program, around)
        position = program.stages[around.stage].position
        steps = program.stages[around.stage].steps[start - position :]
        self.end = steps[end - start - 1 : end - start]
        for step in steps[: end - start - 1]:
            if step.node.keyword not in ("COPY", "ADD"):
                continue
            target, place = destination(program, step), single_place(program, step)
            if target is None:
                self.anywhere.append(step)
                continue
            self.at.setdefault(target, []).append(step)
            for path in above(target):
                self.below.setdefault(path, []).append(step)
            if place is not None:
                self.single.setdefault(place, []).append(step)

    def near(
        self, program: Program, path: str, names: bool, files: frozenset[int], start: int, stop: int
    ) -> Iterator[Step]:
        """Those between two steps (their indices) that may write at a path, below or above it; with `names`, also what
        an owner's name stands for; and the end of the window, where it is between them. `files`: those that copy one
        file."""
        exact, wide = [path], list(above(path))
        if names:
            exact += [_ACCOUNTS, _ACCOUNTS.rpartition("/")[0]]
            wide += above(_ACCOUNTS)
        groups: list[Sequence[Step]] = [self.anywhere, self.single.get(path, ()), self.end]
        groups += [self._without(program, True, place, files) for place in exact]
        groups += [self._without(program, False, place, files) for place in wide]
        return merge(*[_between(group, start, stop) for group in groups if group], key=_index_of)

    def _without(self, program: Program, below: bool, place: str, files: frozenset[int]) -> Sequence[Step]:
        """Those at or below a place that are not known to copy one file to a path of its own."""
        key = (below, place, files)
        if key not in self._others:
            steps = (self.below if below else self.at).get(place, [])
            if len(files) < _FEW or not steps:  # the caller passes over these few
                return steps
            self._others[key] = [
                step for step in steps if step.index not in files or single_place(program, step) is None
            ]
        return self._others[key]


_ACCOUNTS = "/etc/passwd"
_FEW = 16
_index_of = attrgetter("index")


def _between(steps: Sequence[Step], start: int, stop: int) -> Iterator[Step]:
    for at in range(bisect_right(steps, start, key=_index_of), len(steps)):
        if steps[at].index >= stop:
            break
        yield steps[at]


class ModeIntoCopy(Rewrite):
    """COPYs gain the flag that says what the chmod or chown at `offset` of a later RUN says of `path`, which they
    write: all of it (`path` is new), or all that is in it. Where that is what COPY does without a flag (root's files),
    they gain none. What becomes of the command is declared apart.
    `files`: other COPYs that are known to copy one file each, a fact from outside."""

    copies: tuple[int, ...]
    run: int
    offset: int
    path: str
    flag: tuple[str, str]
    files: frozenset[int] = frozenset()

    def claim(self) -> Claim:
        return Claim(frozenset({*self.copies, self.run}))

    def apply(self, model: Model) -> None:
        program, run = model.program, model.steps.get(self.run)
        copies = [model.steps[index] for index in self.copies if index in model.steps]
        if run is None or run.node.keyword != "RUN" or len(copies) != len(self.copies) or not copies:
            raise Refusal(f"instruction {self.run} is not a RUN after COPYs of its stage")
        body = program.body(run)
        if body.program is None:
            raise Refusal(body.why)
        leading = leading_modes(body)
        at = bisect_left(leading, self.offset, key=lambda command: command.node.start)
        command = leading[at] if at < len(leading) and leading[at].node.start == self.offset else None
        if command is None or command.refusal is not None or command.flag != self.flag:
            raise Refusal("no command at the beginning of the RUN says so")
        directory = program.scope(run).workdir
        if self.path not in program.once(("operands", self.run, self.offset), _operands, command, directory):
            raise Refusal(f"the command does not name {self.path}")
        check_between(program, copies, run, self.path, command.names, self.files)
        for copy in copies:
            old = model.item(copy.index)
            target = destination(program, copy) if copy.node.keyword in ("COPY", "ADD") else None
            if copy.stage != run.stage or copy.index > run.index or target is None:
                raise Refusal("only what COPY or ADD wrote, and a RUN after it, can be brought together")
            if not covers(self.path, target) and (self.path.rpartition("/")[0] or "/") != target:
                raise Refusal(f"{old.keyword} does not write {self.path}")
            if any(name in (self.flag[0], "link") for name, _ in old.flags):
                raise Refusal(f"{old.keyword} has a flag that says otherwise")
            if not is_default(self.flag):
                model.items[copy.index] = ModelInstruction(old.index, old.keyword, (*old.flags, self.flag), old.value)
