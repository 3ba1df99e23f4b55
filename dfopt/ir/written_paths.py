"""What a stage's steps write, and which of it the image's commands name: the two ends of the data flow in a split.

Coarse on purpose: a program that no table knows may write its working directory and the usual places of installation,
and nowhere else. It serves to tell that a path comes from a stage at all, not to tell everything that is in it.
"""

from __future__ import annotations

import re

from dfopt.ir.effects import command_effects, manager
from dfopt.ir.image_config import image_config
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_FILE = re.compile(r"(?:\.{0,2}/)?[\w@.+-]+(?:/[\w@.+-]+)*\Z")
_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,4}\Z")
_CREATORS = ("useradd", "adduser")
# Where `make install` and its kind put things, and the home directory in which language tools keep theirs
_PREFIXES = ("/usr/local", "/opt", "/root")


def paths_written_by(program: Program, stage: Stage, only: Step | None = None) -> list[str]:
    """Paths that the steps of `stage` write (of the stages it builds on too), or that step `only` writes; what they
    write may lie below. Absolute, normalized, in no order."""
    paths: dict[str, None] = {}
    at: Stage | None = stage
    while at is not None:
        for step in at.steps:
            if only is None or step.index == only.index:
                for path in _of_step(program, step):
                    if path != "/":
                        paths[path] = None
        at = program.stages[at.parent] if at.parent is not None and only is None else None
    return list(paths)


def _of_step(program: Program, step: Step) -> Iterator[str]:
    scope = program.scope(step)
    if step.node.keyword == "WORKDIR":
        path = join_path(scope.workdir, scope.expand(step.node.arguments[0].value, program.dockerfile.escape))
        if isinstance(path, str):
            yield path
        return
    if step.node.keyword in ("COPY", "ADD"):
        words = [scope.expand(word.value, program.dockerfile.escape) for word in step.node.arguments]
        target = join_path("/" if isinstance(scope.workdir, Unknown) else scope.workdir, words[-1])
        if not isinstance(target, str):
            return
        if target != "/":
            yield target
        else:
            for word in words[:-1]:
                if isinstance(word, str):
                    yield "/" + word.strip("/").rpartition("/")[2]
        return
    if step.node.keyword != "RUN":
        return
    listed = program.run_commands(step)
    for effect in command_effects(listed, scope.workdir):
        if effect.kind == "creates" and effect.path.startswith("/"):
            yield effect.path
    if isinstance(scope.workdir, str):
        yield scope.workdir
    for setting in scope.env.values():  # GOPATH, VIRTUAL_ENV, CARGO_HOME: where tools are told to write
        if isinstance(setting, str) and setting.startswith("/") and ":" not in setting:
            yield setting
    directory: str | Unknown = scope.workdir
    files = table("programs")["files"]
    for invocation in listed.invocations:
        if invocation.program == "cd":
            operands = invocation.operands()
            first = operands[0].value if operands else ""
            inner = join_path(directory, first) if first else None
            if isinstance(inner, str):
                directory = inner
                yield inner
        elif invocation.program == "git" and "config" in invocation.values:  # git-config(1), FILES
            yield "/etc/gitconfig"
            yield "/root/.gitconfig"
            if isinstance(scope.user, str):
                yield f"/home/{scope.user.partition(':')[0]}/.gitconfig"
        elif invocation.program is not None and invocation.program not in files:
            facts = manager(invocation.program)
            if facts is None or facts["family"] not in ("apt", "apk", "dnf", "zypper", "pacman"):
                yield from _PREFIXES
                if isinstance(scope.user, str):
                    yield f"/home/{scope.user.partition(':')[0]}"
                if invocation.program == "go":
                    yield "/go"
                for value in invocation.values:  # -o FILE, --prefix=/x, -d DIR and all other options that name a path
                    for part in re.findall(r"(?:\A|=)(/[\w@./+-]+)", value or ""):
                        yield "/" + part.strip("/")


def names_in_commands(program: Program, stage: Stage) -> list[str]:
    """The absolute paths of what CMD, ENTRYPOINT and HEALTHCHECK name, as far as they look like files."""
    config = image_config(program, stage)
    names: dict[str, None] = {}
    for argv in (config.entrypoint, config.cmd, config.healthcheck):
        if argv is None or isinstance(argv, Unknown):
            continue
        words = [part for word in argv for part in word.split()]
        for word in words:
            word = word.strip("'\"").removesuffix(";")
            if "$" in word or not _FILE.match(word) or not re.search(r"[\w]", word):
                continue
            if word.startswith("/") or ("/" in word and "://" not in word) or _SUFFIX.search(word):
                path = join_path(config.workdir, word)
                if isinstance(path, str) and path != "/":
                    names[path] = None
    return list(names)


def home_of(program: Program, stage: Stage) -> str:
    """The user of the image where a step of the stage (or of what it builds on) creates it; else ""."""
    user = image_config(program, stage).user
    if not isinstance(user, str):
        return ""
    name = user.partition(":")[0]
    at: Stage | None = stage
    while at is not None:
        for step in at.steps:
            if step.node.keyword == "RUN":
                for invocation in program.run_commands(step).invocations:
                    if invocation.program in _CREATORS and name in invocation.values:
                        return name
        at = program.stages[at.parent] if at.parent is not None else None
    return ""
