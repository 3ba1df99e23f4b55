"""Declared rewrites that bring what writes a file and what deletes it into one layer, where no plain merge can."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from fnmatch import fnmatchcase
from operator import attrgetter

from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers, takes
from dfopt.ir.exit_status import errexit_throughout
from dfopt.ir.model import ModelInstruction
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.rewrites.cache_mounts import commands_of, may_delete, mount_targets, names_path, paths_overlap
from dfopt.rewrites.copy_mode import check_between, destination
from dfopt.syntax.mounts import parse_mount
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dfopt.ir.effects import Effect
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Model

_PATH = regex(r"(?:/[\w.+@-]+)+(?:/?\*)?/?")
_SOURCE = regex(r"[\w./+@-]+")
_GLOB = regex(r"(?:\./)?(?:[\w.+@-]+/)+(?=[^/]*[*?])[\w.+@*?-]+\.[A-Za-z]\w{0,4}")
LINKERS = frozenset(("ln", "link"))


class BindForCopy(Rewrite):
    """COPYs go; the RUNs after them that use what they copied get it by bind mounts at the same places, in which
    writes are allowed and lost. The deletions in the last of them go too (declared apart): a mount cannot be deleted.

    `target` is the path that `run` deletes; `users` are the RUNs that get the mounts (empty: `run` alone). Facts from
    outside: `kinds` are sources of which it is known whether they are one file, `files` other COPYs that copy one file
    each.
    """

    copies: tuple[int, ...]
    run: int
    target: str
    files: frozenset[int] = frozenset()
    kinds: tuple[tuple[str, bool], ...] = ()
    users: tuple[int, ...] = ()

    def claim(self) -> Claim:
        return Claim(frozenset({*self.copies, self.run, *self.users}))

    def apply(self, model: Model) -> None:
        program, run = model.program, model.steps.get(self.run)
        copies = [model.steps[index] for index in self.copies if index in model.steps]
        if run is None or run.node.keyword != "RUN" or not copies or len(copies) != len(self.copies):
            raise Refusal(f"instruction {self.run} is not a RUN after COPYs of its stage")
        values: list[str] = []
        for copy in copies:
            model.item(copy.index)
            if copy.node.keyword != "COPY" or copy.stage != run.stage or copy.index > run.index:
                raise Refusal("the RUN does not stand after the COPY")
            values += bind_values(program, copy, self.target, dict(self.kinds))
        targets = [parse_mount(value)["target"] for value in values]
        if any(paths_overlap(place, other) for index, place in enumerate(targets) for other in targets[:index]):
            raise Refusal("what a RUN sees of two directories in one place is not one mount")
        users = [model.steps[index] for index in self.users or (self.run,) if index in model.steps]
        check_unused(program, copies, run, users, self.target, self.files)
        if not deleting(program, run, self.target):
            raise Refusal(f"the RUN does not delete {self.target} for certain")
        for user in users:
            check_names(program, user, values)
            for there in mount_targets(program, user):
                if there is None or paths_overlap(there, self.target):
                    raise Refusal("a mount that is there covers the place, or may")
            for command in commands_of(model.shell(user.index)):
                if may_delete(command, self.target):
                    raise Refusal(f"the RUN still deletes {self.target}, which a mount does not allow")
                if any(word.rpartition("/")[2] in LINKERS for word in command[:2]):
                    raise Refusal("a link into a mount would dangle after the RUN")
            old = model.item(user.index)
            flags = tuple([("mount", value) for value in values])
            model.items[user.index] = ModelInstruction(old.index, old.keyword, (*old.flags, *flags), old.value)
        for index in self.copies:
            del model.items[index]
        if self.run in model.items and run not in users:
            if any(may_delete(command, self.target) for command in commands_of(model.shell(self.run))):
                raise Refusal(f"the RUN still deletes {self.target}")
        elif self.run not in model.items and not only_deletes(program, run, self.target):
            raise Refusal("a RUN that does more than delete must stay")


def check_unused(
    program: Program, copies: Sequence[Step], run: Step, users: Sequence[Step], target: str, files: frozenset[int]
) -> None:
    """Raises Refusal where a step between the first of some COPYs and the RUN that deletes what they copied could use
    it, and is none of `users`. A RUN that neither names the path nor works there does not use it."""
    blind: list[Step] = []
    for step in runs_between(program, copies[0], run):
        line = step.node.line
        if step.node.keyword == "RUN" and step not in users:
            if program.body(step).program is None or names_path(program.body(step).text, target):
                raise Refusal(f"line {line} sees the file")
            blind.append(step)
        elif step.node.keyword == "WORKDIR":
            directory = destination(program, step)
            if directory is None or covers(target, directory):
                raise Refusal(f"line {line} makes {target} the working directory, or may")
    if blind and all(user is run for user in users):
        line = blind[0].node.line
        raise Refusal(f"line {line} sees the file", f"put the COPY after line {line}")
    check_between(program, [*copies, *users, *blind], run, target, False, files)
    for user in users:
        if user.stage != run.stage or not copies[0].index < user.index <= run.index or user.node.keyword != "RUN":
            raise Refusal("the RUN does not stand between the two")
        writes = program.effects(user) if user is not run else ()
        if any(covers(target, effect.path) for effect in writes if effect.kind in ("creates", "changes")):
            raise Refusal(f"line {user.node.line} writes there")


def runs_between(program: Program, first: Step, other: Step) -> Sequence[Step]:
    """The RUNs, and the WORKDIRs, between two steps of a stage."""
    steps = program.stages[first.stage].steps
    found = program.once(
        ("runs", first.stage), lambda: [step for step in steps if step.node.keyword in ("RUN", "WORKDIR")]
    )
    start = bisect_right(found, first.index, key=_index)
    return found[start : bisect_left(found, other.index, start, key=_index)]


_index = attrgetter("index")


def only_deletes(program: Program, run: Step, target: str) -> bool:
    """Whether a RUN is nothing but one `rm` of `target`."""
    invocations = program.commands(run).invocations
    directory = program.scope(run).workdir
    return (
        len(invocations) == 1
        and invocations[0].program == "rm"
        and all(
            word.value is not None and join_path(directory, word.value) == target for word in invocations[0].operands()
        )
    )


def bind_values(program: Program, copy: Step, target: str, kinds: Mapping[str, bool]) -> list[str]:
    """The values of the `--mount=` that show at `target`, or below, what a COPY would put there. `kinds`: whether a
    source is one file (True) or a directory. Raises Refusal where mounts do not say what the COPY says.

    Sources with a glob are mounted as the directory that holds them: the RUN sees all of it (`check_names`).
    """
    node, to = copy.node, destination(program, copy)
    if node.heredocs or to is None or any(flag.name != "from" for flag in node.flags) or not _PATH.fullmatch(target):
        raise Refusal("COPY says more than a mount can")
    sources = [argument.value for argument in node.arguments[:-1]]
    origin = node.flag("from")
    if origin is not None and not _SOURCE.fullmatch(origin.value or ""):
        raise Refusal("COPY says more than a mount can")
    if any(_GLOB.fullmatch(source) for source in sources):
        above = {source.rpartition("/")[0] for source in sources}
        if (
            len(above) > 1
            or not all(_GLOB.fullmatch(source) or kinds.get(source) for source in sources)
            or to != target
        ):
            raise Refusal("a glob takes what a mount cannot", "copy the files by name, or the directory")
        places = [(above.pop(), to)]
    else:
        if not all(_SOURCE.fullmatch(source) for source in sources):
            raise Refusal("COPY says more than a mount can")
        into = len(sources) > 1 or node.arguments[-1].value[-1:] in "/."
        places = [(source, _placed(source, to, into, len(sources) == 1, kinds.get(source))) for source in sources]
    if not all(covers(target, place) for _, place in places):
        raise Refusal("a mount would not be where the COPY writes")
    if origin is not None:
        return [f"type=bind,from={origin.value},source=/{source.strip('/')},target={at},rw" for source, at in places]
    return [f"type=bind,source={source.strip('/').removeprefix('./') or '.'},target={at},rw" for source, at in places]


def _placed(source: str, to: str, into: bool, alone: bool, file: bool | None) -> str:
    """Where a source comes to lie; `into`: COPY is given a directory for it. Raises Refusal."""
    if not into or (alone and file is False):
        return to
    if not file:
        raise Refusal(f"whether {source} is one file is not known", "give the build context (--context)")
    return f"{to.rstrip('/')}/{source.rpartition('/')[2]}"


def check_names(program: Program, run: Step, values: Sequence[str]) -> None:
    """Raises Refusal where a RUN may see more in a directory of `values` than what a COPY with a glob took of it: it
    must name nothing there but single files, and none that the glob leaves out."""
    for copy in program.once(("globbing copies", run.stage), _globbing_copies, program.stages[run.stage].steps):
        globs = [source.value for source in copy.node.arguments[:-1]]
        if copy.index > run.index:
            break
        to = destination(program, copy) or ""
        if not any(parse_mount(value)["target"] == to for value in values):
            continue
        text = program.body(run).text
        for match in re.finditer(re.escape(to) + r"(/[\w.+-]*)?(?![\w.+-])", text):
            if deleting_at(program, run, match.start()):
                continue
            name = (match[1] or "")[1:]
            if not name or text[match.end() : match.end() + 1] in tuple("/*?[{$"):
                raise Refusal(f"the RUN may see more of {to} than what is copied", "name the files in the RUN")
            if not any(fnmatchcase(name, glob.rpartition("/")[2]) for glob in globs):
                raise Refusal(f"what the RUN sees at {to}/{name} may not be what is copied")


def _globbing_copies(steps: Sequence[Step]) -> list[Step]:
    return [
        step for step in steps
        if step.node.keyword == "COPY" and any(_GLOB.fullmatch(source.value) for source in step.node.arguments[:-1])
    ]  # fmt: skip


def deleting_at(program: Program, run: Step, at: int) -> bool:
    """Whether an `rm` stands around an offset of a RUN's text."""
    invocations = program.commands(run).invocations
    return any(rm.program == "rm" and rm.node.start <= at < rm.node.end for rm in invocations)


def deleting(program: Program, run: Step, path: str) -> bool:
    """Whether a RUN deletes exactly `path` for certain when it succeeds: in the && chain that gives it its status, or
    in a command by itself under `set -e`."""
    body = program.body(run)
    items = body.program.script.items if body.program is not None else ()
    if relatively(program, run, path) and not only_deletes(program, run, path):
        return False
    for effect in program.once(("effects by path", run.index), _by_path, program.effects(run)).get(path, ()):
        if not takes(effect, path) or effect.program != "rm" or effect.where != TOP:
            continue
        item = items[bisect_right(items, effect.at, key=_start) - 1]
        if item.terminator != "&" and (
            item is items[-1] or (item.command.start == effect.at and errexit_throughout(body))
        ):
            return True
    return False


_start = attrgetter("start")


def _by_path(effects: Sequence[Effect]) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {}
    for effect in effects:
        found.setdefault(effect.path, []).append(effect)
    return found


def relatively(program: Program, run: Step, path: str) -> bool:
    """Whether a RUN deletes or moves `path`, what it holds or what holds it by a relative name, or may: such a command
    is not taken out, and a mount cannot be deleted."""
    anything, places = program.once(("relative deletions", run.index), _relative_deletions, program, run)
    return anything or any(covers(place, path) or covers(path, place) for place in places)


def _relative_deletions(program: Program, run: Step) -> tuple[bool, set[str]]:
    """Whether a RUN deletes or moves something by a relative name that is not fixed; and what it deletes by commands
    that name something relatively."""
    text = program.body(run).text
    starts: set[int] = set()
    anything = False
    for invocation in program.commands(run).invocations:
        for word in invocation.operands():
            if text[word.start : word.end].lstrip("\"'")[:1] not in ("/", "$", "~", "-"):
                starts.add(invocation.node.start)
                anything |= word.value is None and invocation.program in ("rm", "mv")
    deletions = [effect for effect in program.effects(run) if effect.kind == "deletes"]
    return anything, {effect.path for effect in deletions if effect.at in starts}


class DeleteEarlier(Rewrite):
    """An `rm` with which a RUN (`source`) begins runs at the end of an earlier one (`target`), which wrote what it
    deletes. Only instructions that neither read nor write these paths stand between. What becomes of the two RUNs'
    text is declared apart."""

    source: int
    offset: int
    target: int

    def claim(self) -> Claim:
        return Claim(frozenset({self.source, self.target}))

    def apply(self, model: Model) -> None:
        program, source, target = model.program, model.steps.get(self.source), model.steps.get(self.target)
        if source is None or target is None or source.stage != target.stage or target.index > source.index:
            raise Refusal("the two are not RUNs of one stage, in this order")
        words = first_rm(program, source)
        if words is None or words[0] != self.offset:
            raise Refusal("the RUN does not begin with an rm of plain absolute paths")
        check_apart(program, target, source, words[1])


def first_rm(program: Program, run: Step) -> tuple[int, tuple[str, ...]] | None:
    """(offset, words) of the `rm -f` with which a RUN's chain begins, where all it deletes are absolute paths."""
    body = program.body(run)
    if body.program is None or run.node.flags or body.form == "mixed":
        return None
    item = body.program.script.items[0]
    parts = item.command.items if isinstance(item.command, AndOr) else (item.command,)
    if (isinstance(item.command, AndOr) and "||" in item.command.ops) or item.terminator == "&":
        return None
    node = parts[0]
    if not isinstance(node, SimpleCommand) or node.redirects or node.assignments or len(node.words) < 3:
        return None
    words = tuple([body.text[word.start : word.end] for word in node.words])
    plain = words[0] == "rm" and words[1] in ("-f", "-rf", "-fr", "-Rf", "-fR")
    return (node.start, words) if plain and all(_PATH.fullmatch(word) for word in words[2:]) else None


def check_apart(program: Program, target: Step, source: Step, words: tuple[str, ...]) -> None:
    """Raises Refusal where the `rm` of RUN `source` cannot run at the end of RUN `target`."""
    old, new = program.scope(source), program.scope(target)
    if old.user != new.user or old.shell != new.shell:
        raise Refusal("another user or another shell deletes")
    paths = [word.split("*")[0].rstrip("/") for word in words[2:]]
    for there in mount_targets(program, target):
        if there is None or any(paths_overlap(there, path) for path in paths):
            raise Refusal("a mount covers what is deleted, or may")
    for step in program.stages[source.stage].steps:
        if not target.index < step.index < source.index:
            continue
        node = step.node
        if node.keyword in ("RUN", "SHELL", "USER", "ONBUILD", "VOLUME"):
            raise Refusal(f"line {node.line} may need what is deleted")
        if node.keyword in ("ENV", "ARG") and re.search(r"\b(?:PATH|LD_\w+)\b", node.joined.text):
            raise Refusal(f"line {node.line} may change what rm is")
        if node.keyword in ("COPY", "ADD", "WORKDIR"):
            path = destination(program, step)
            if path is None or any(paths_overlap(path, other) for other in paths):
                raise Refusal(f"line {node.line} may write there too")
