"""The mounts of a RUN, and the declared rewrite that gives it cache mounts."""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.ir.liveness import copied_paths
from dfopt.ir.model import ModelInstruction
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.syntax.mounts import mounts, parse_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.model import Term
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Model

_CACHE_FIELDS = frozenset(("type", "target", "sharing", "uid", "gid"))
_DELETERS = frozenset(("rm", "rmdir", "find", "mv", "unlink", "truncate", "shred"))
_HOME = regex(r"(?:~|\$HOME|\$\{HOME\})(?=/|\Z)")


def mount_targets(program: Program, step: Step) -> list[str | None]:
    """Where the mounts of a RUN are: absolute paths; None for one that is not known. A secret that is a variable, and
    an agent of ssh, which listens where nothing else is, are nowhere."""
    scope = program.scope(step)
    targets: list[str | None] = []
    for mount in mounts(step.effective):
        if not mount.target and (mount.kind == "ssh" or (mount.kind == "secret" and "env" in mount.fields)):
            continue
        expanded = scope.expand(mount.target, program.dockerfile.escape)
        target = join_path(scope.workdir, expanded) if isinstance(expanded, str) and expanded else ""
        targets.append(target if isinstance(target, str) and target else None)
    return targets


def paths_overlap(path: str, other: str) -> bool:
    """Whether one of two absolute paths is, or holds, the other."""
    return covers(path, other) or covers(other, path)


def later_steps(program: Program, step: Step) -> Iterator[tuple[Stage, Step]]:
    """The steps after `step` that see what it left in its layer: in its stage, and in those built FROM it."""
    stage = program.stages[step.stage]
    yield from ((stage, later) for later in stage.steps if later.index > step.index)
    queue = program.children(stage)
    while queue:
        child = queue.pop(0)
        yield from ((child, later) for later in child.steps)
        queue += program.children(child)


def stages_built_on(program: Program, stage: Stage) -> list[Stage]:
    """The stage and all that are built FROM it: the ones that have its files."""
    stages = [stage]
    for holder in stages:
        stages += program.children(holder)
    return stages


def names_path(text: str, path: str) -> bool:
    """Whether a text names a path, or one below it; a home directory may be spelled ~ or $HOME."""
    if path in text and re.search(rf"{re.escape(path)}(?![\w.-])", text):
        return True
    parts = path.split("/")
    for count in range(2, len(parts)):  # /root/.npm as ~/.npm
        rest = "/".join(["", *parts[count:]])
        if rest in text and re.search(rf"(?:~|\$HOME|\$\{{HOME\}}){re.escape(rest)}(?![\w.-])", text):
            return True
    return False


class AddCacheMounts(Rewrite):
    """A RUN gains cache mounts (the values of `--mount=`), after the flags that it has.

    Nothing that it writes at their targets is in its layer any more, so that nothing may read that: no other stage, no
    later step. And nothing in the RUN itself may delete them, which would fail or empty the cache.
    """

    step: int
    mounts: tuple[str, ...]

    def claim(self) -> Claim:
        return Claim(frozenset({self.step}))

    def apply(self, model: Model) -> None:
        program, step = model.program, model.steps.get(self.step)
        old = model.item(self.step)
        if step is None or step.node.keyword != "RUN":
            raise Refusal("only a RUN of a stage can have mounts")
        targets: list[str] = []
        for value in self.mounts:
            fields = parse_mount(value)
            target = fields.get("target", "")
            if fields.get("type") != "cache" or not fields.keys() <= _CACHE_FIELDS or join_path("/", target) != target:
                raise Refusal(f"{value} is not a cache mount with a plain target")
            if target == "/" or any(paths_overlap(target, other) for other in targets):
                raise Refusal(f"{target} cannot be mounted")
            targets.append(target)
        for there in mount_targets(program, step):
            if there is None or any(paths_overlap(there, target) for target in targets):
                raise Refusal("a mount that is there covers the cache, or may")
        for target in targets:
            check_cache_is_free(program, step, target)
        for command in commands_of(model.shell(self.step)):
            if any(may_delete(command, target) for target in targets):
                raise Refusal("the RUN deletes what the mount holds")
            if any(may_enter(command, target) for target in targets):
                raise Refusal("the RUN works inside of the cache")
        flags = tuple([("mount", value) for value in self.mounts])
        model.items[self.step] = ModelInstruction(old.index, old.keyword, (*old.flags, *flags), old.value)


def check_cache_is_free(program: Program, step: Step, target: str) -> None:
    """Raises Refusal where someone needs what `step` leaves at `target` in its layer, as far as the file tells."""
    for stage in stages_built_on(program, program.stages[step.stage]):
        taken = copied_paths(program, stage)
        if taken is None:
            raise Refusal("a path that another stage copies from this one is not known")
        if any(path != "/" and paths_overlap(path, target) for path in taken):
            raise Refusal(f"another stage takes {target}, or what holds it")
    for _, later in later_steps(program, step):
        node = later.effective
        if node.keyword not in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "VOLUME", "WORKDIR", "COPY", "ADD"):
            continue
        if node.keyword == "RUN" and any(
            there is not None and covers(there, target) for there in mount_targets(program, later)
        ):
            continue
        text = node.joined.text + "".join([program.text[doc.start : doc.end] for doc in later.heredocs])
        if names_path(without_rm(program, later, text), target):
            raise Refusal(f"line {later.node.line} names {target}")


def without_rm(program: Program, step: Step, text: str, forced: bool = True) -> str:
    """`text`, of a RUN without its `rm -f` commands, which take it as it comes that a path is not there; with `forced`
    False, without any `rm`."""
    if step.effective.keyword != "RUN":
        return text
    if program.body(step).program is None:
        return text
    return program.once(("without rm", step.index, forced), _without_rm, program, step, forced)


def _without_rm(program: Program, step: Step, forced: bool) -> str:
    body = program.body(step)
    rest: list[str] = []
    at = 0
    for invocation in program.commands(step).invocations:
        if invocation.program == "rm" and not invocation.nested and invocation.node.start >= at:
            if forced and not invocation.has_option("-f", "--force"):
                continue
            rest.append(body.text[at : invocation.node.start])
            at = invocation.node.end
    return "".join([*rest, body.text[at:]])


def may_delete(words: tuple[str, ...], target: str) -> bool:
    """Whether a command, by its words as written, may delete `target`, what it holds, or what holds it."""
    if not any(word.rpartition("/")[2] in _DELETERS for word in words[:3]):
        return False
    return any(may_reach(word, target) for word in words)


def may_enter(words: tuple[str, ...], target: str) -> bool:
    """Whether a command may make `target`, or what it holds, the working directory of its shell."""
    if not words or words[0] not in ("cd", "pushd") or len(words) < 2:
        return False
    word = words[1].strip("\"'")
    return covers(target, word) or (_HOME.match(word) is not None and may_reach(word, target) and len(word) > 7)


def may_reach(word: str, target: str) -> bool:
    """Whether a word, as written, may stand for a path that overlaps `target`. Globs end the part that is compared."""
    word = word.strip("\"'")
    home = _HOME.match(word)
    text = re.split(r"[*?\[{]", word, maxsplit=1)[0].rstrip("/")
    if home is not None:
        rest = text[home.end() :]
        return not rest or re.search(rf"{re.escape(rest)}(?:/|\Z)", target) is not None or _below(rest, target)
    if text.startswith("$") or "/$" in text[:2]:
        return True  # what it stands for is not known
    if not text.startswith("/"):
        return False  # `enters` looks at the directories that a relative path may mean
    text = text.partition("$")[0].rstrip("/")
    if text != word.rstrip("/"):  # a glob or a variable: what it matches has this beginning
        return target.startswith(text) or covers(target, text)
    return paths_overlap(text, target)


def _below(rest: str, target: str) -> bool:
    return any(rest.startswith(target[at:] + "/") for at in range(len(target)) if target[at] == "/")


def commands_of(term: Term) -> Iterator[tuple[str, ...]]:
    """The words of every simple command of a term."""
    if len(term) > 1 and term[0] == "cmd" and isinstance(term[1], int):
        yield term[3]
        return
    for part in term:
        if isinstance(part, tuple):
            yield from commands_of(part)
