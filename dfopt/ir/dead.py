"""Declared rewrites that bring what writes a file and what deletes it into one layer, where no plain merge can."""

from __future__ import annotations

import re

from dfopt.ir.commands import TOP
from dfopt.ir.copy_mode import between, written
from dfopt.ir.declared import OwnRewrite, RewriteError
from dfopt.ir.model import Item
from dfopt.ir.mounts import commands_of, deletes, mounts, overlap
from dfopt.ir.status import errexit_throughout
from dfopt.lazy import regex
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program, Step
    from dfopt.ir.rewrite import Applier

_PATH = regex(r"(?:/[\w.+@-]+)+(?:/?\*)?/?")
_SOURCE = regex(r"[\w./+@-]+")
LINKERS = frozenset(("ln", "link"))


class BindForCopy(OwnRewrite):
    """A COPY goes; the RUN behind it that uses what it copied, and deletes it, gets it by a bind mount at the same
    place, in which writes are allowed and lost. The deletions go too (declared apart): a mount cannot be deleted.

    Facts from outside: `target` is where the COPY puts what it copies, `files` are other COPYs that copy one file each.
    """

    copy: int
    run: int
    target: str
    files: tuple[int, ...] = ()

    def claimed(self) -> tuple[set[int], bool]:
        return {self.copy, self.run}, True

    def apply(self, model: Applier) -> None:
        program, copy, run = model.program, model.steps.get(self.copy), model.steps.get(self.run)
        model.item(self.copy)
        if copy is None or run is None or copy.node.keyword != "COPY" or run.node.keyword != "RUN":
            raise RewriteError("the rewrite names no COPY and RUN of a stage")
        if copy.stage != run.stage or copy.index > run.index:
            raise RewriteError("the RUN does not stand behind the COPY")
        value = bind_value(copy, self.target)
        to = written(program, copy)
        if value is None or to is None or (self.target != to and self.target.rpartition("/")[0] != to.rstrip("/")):
            raise RewriteError("a bind mount does not say what this COPY says")
        reason = between(program, [copy], run, self.target, False, self.files)
        if reason:
            raise RewriteError(reason)
        if not deleting(program, run, self.target):
            raise RewriteError(f"the RUN does not delete {self.target} for certain")
        for mount in mounts(program, run):
            if mount.target is None or overlap(mount.target, self.target):
                raise RewriteError("a mount that is there covers the place, or may")
        for command in commands_of(model.shell(self.run)):
            if deletes(command, self.target):
                raise RewriteError(f"the RUN still deletes {self.target}, which a mount does not allow")
            if any(word.rpartition("/")[2] in LINKERS for word in command[:2]):
                raise RewriteError("a link into a mount is another thing than a link to a file")
        del model.items[self.copy]
        old = model.items[self.run]
        model.items[self.run] = Item(old.index, old.keyword, (*old.flags, ("mount", value)), old.value)


def bind_value(copy: Step, target: str) -> str | None:
    """The value of the `--mount=` that shows at `target` what a COPY would put there; None where there is none."""
    node = copy.node
    if len(node.arguments) != 2 or node.heredocs or any(flag.name != "from" for flag in node.flags):
        return None
    source = node.arguments[0].value
    if not _SOURCE.fullmatch(source) or not _PATH.fullmatch(target) or "*" in target:
        return None
    origin = node.flag("from")
    if origin is not None:
        if not origin.value or not _SOURCE.fullmatch(origin.value):
            return None
        return f"type=bind,from={origin.value},source=/{source.strip('/')},target={target},rw"
    source = source.strip("/").removeprefix("./") or "."
    return f"type=bind,source={source},target={target},rw"


def deleting(program: Program, run: Step, path: str) -> bool:
    """Whether a RUN deletes exactly `path` for certain when it succeeds: in the && chain that gives it its status, or
    in a command by itself under `set -e`."""
    body = program.body(run)
    items = body.program.script.items if body.program is not None else ()
    for effect in program.effects(run):
        if effect.kind != "deletes" or effect.program != "rm" or effect.where != TOP or effect.path != path:
            continue
        item = next(one for one in items if one.command.start <= effect.at < one.command.end)
        if item.terminator != "&" and (
            item is items[-1] or (item.command.start == effect.at and errexit_throughout(body))
        ):
            return True
    return False


class DeleteEarlier(OwnRewrite):
    """An `rm` with which a RUN (`source`) begins runs at the end of an earlier one (`target`), which wrote what it
    deletes. Only instructions that neither read nor write these paths stand between. What becomes of the two RUNs'
    text is declared apart."""

    source: int
    offset: int
    target: int

    def claimed(self) -> tuple[set[int], bool]:
        return {self.source, self.target}, True

    def apply(self, model: Applier) -> None:
        program, source, target = model.program, model.steps.get(self.source), model.steps.get(self.target)
        if source is None or target is None or source.stage != target.stage or target.index > source.index:
            raise RewriteError("the two are not RUNs of one stage, in this order")
        words = first_rm(program, source)
        if words is None or words[0] != self.offset:
            raise RewriteError("the RUN does not begin with an rm of plain absolute paths")
        reason = apart(program, target, source, words[1])
        if reason:
            raise RewriteError(reason)


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


def apart(program: Program, target: Step, source: Step, words: tuple[str, ...]) -> str:
    """Why the `rm` of RUN `source` cannot run at the end of RUN `target`; "" where it can."""
    old, new = program.scope(source), program.scope(target)
    if old.user != new.user or old.shell != new.shell:
        return "another user or another shell deletes"
    paths = [word.split("*")[0].rstrip("/") for word in words[2:]]
    for mount in mounts(program, target):
        if mount.target is None or any(overlap(mount.target, path) for path in paths):
            return "a mount covers what is deleted, or may"
    for step in program.stages[source.stage].steps:
        if not target.index < step.index < source.index:
            continue
        node = step.node
        if node.keyword in ("RUN", "SHELL", "USER", "ONBUILD", "VOLUME"):
            return f"line {node.line} may need what is deleted"
        if node.keyword in ("ENV", "ARG") and re.search(r"\b(?:PATH|LD_\w+)\b", node.joined.text):
            return f"line {node.line} may change what rm is"
        if node.keyword in ("COPY", "ADD", "WORKDIR"):
            path = written(program, step)
            if path is None or any(overlap(path, other) for other in paths):
                return f"line {node.line} may write there too"
    return ""
