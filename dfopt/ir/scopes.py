"""Scopes: what ENV, ARG, USER, WORKDIR and SHELL mean at each step. What is not known stays unknown.

A base image's own environment is not in the file: a name that no instruction sets is UNKNOWN, unless on scratch.
A build argument may replace an ARG's default, so an ARG's value is UNKNOWN to passes, with the default kept beside it.
"""

from __future__ import annotations

from dfopt.ir.base_images import WINDOWS, BaseFacts, base_facts, base_workdir
from dfopt.ir.environment import Environment
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.expand import UNKNOWN, ExpansionError, Unknown, expand_word, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.ir.stages import Stage
    from dfopt.syntax.tree import Dockerfile, Instruction

DEFAULT_SHELL = ("/bin/sh", "-c")
_DRIVE = regex(r"[\"']?[A-Za-z]:(?:[\\/]|\Z)")


class Scope(Record):
    """The state before a step.

    env      set by ENV: name -> value or UNKNOWN
    args     declared by ARG in this stage: name -> default (None without one)
    user     USER's value; None: the base image's own, which is not known
    workdir  absolute path, UNKNOWN where it cannot be told
    shell    argv of SHELL; None: not known
    shell_set  whether the file itself says SHELL (here or in a parent stage)
    base     facts about the image at the bottom of the stage's chain, if the table has them
    image    its reference, if known
    """

    env: Mapping[str, str | Unknown]
    args: Mapping[str, str | None]
    user: str | Unknown | None
    workdir: str | Unknown
    shell: tuple[str, ...] | None
    shell_set: bool
    base: BaseFacts | None
    image: str | None

    def lookup(self, name: str) -> str | Unknown | None:
        """A variable as word expansion sees it."""
        if name in self.env:
            return self.env[name]
        if name in self.args:
            return UNKNOWN
        if self.image == "scratch":
            return None
        return UNKNOWN

    def variables(self) -> _Lookup:
        """The scope as an environment for word expansion."""
        return _Lookup(self)

    def expand(self, word: str, escape: str) -> str | Unknown:
        """A word expanded in this scope; UNKNOWN where it depends on something that is not known."""
        if "$" not in word and escape not in word and "'" not in word and '"' not in word:
            return word
        try:
            return expand_word(word, self.variables(), escape=escape)
        except ExpansionError:
            return UNKNOWN

    @property
    def root(self) -> bool | None:
        """Whether steps run as root; None where that is not known."""
        if isinstance(self.user, Unknown):
            return None
        if self.user is None:
            if self.base is None or self.base.user is None:
                return None
            return self.base.user == "root"
        name = self.user.partition(":")[0]
        return name in ("root", "0")


class _Lookup:
    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def get(self, name: str, default: None = None, /) -> str | Unknown | None:
        return self.scope.lookup(name)


# the ARGs that a build sets by itself, declared or not (BuildKit frontend/dockerfile/dockerfile2llb/platform.go)
BUILD_ARGUMENTS = frozenset(
    side + part
    for side in ("BUILD", "TARGET")
    for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
) | {"TARGETSTAGE"}  # fmt: skip


class _Meta:
    """The ARGs before the first FROM, with what the file says of them; a platform's is UNKNOWN."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[str, str | Unknown] = {}

    def get(self, name: str, default: None = None, /) -> str | Unknown | None:
        return UNKNOWN if name in BUILD_ARGUMENTS else self.known.get(name)

    def expand(self, word: str, escape: str) -> str | Unknown:
        """A word's value as the file says it. UNKNOWN where it takes one that is not set: a build may set it."""
        if "$" in word:
            for use in variables(word, escape):
                if use.operator not in (":-", "-") and self.get(use.name) is None:
                    return UNKNOWN
        return expand_word(word, self, escape=escape)


def expand_meta(dockerfile: Dockerfile, meta: tuple[Instruction, ...], word: str) -> str | None:
    """A FROM word with the defaults of the ARGs before the first FROM, and those that it writes itself
    (`${BASE:-debian}`); None where it has no value that the file says."""
    env = _Meta()
    for node in meta:
        for pair in node.pairs:
            env.known.pop(pair.name, None)
            if pair.value is not None:
                try:
                    env.known[pair.name] = env.expand(pair.value, dockerfile.escape)
                except ExpansionError:
                    env.known[pair.name] = UNKNOWN
    try:
        result = env.expand(word, dockerfile.escape)
    except ExpansionError:
        return None
    return None if isinstance(result, Unknown) or "$" in result or not result else result


def stage_scopes(stage: Stage, parent: Scope | None, escape: str) -> list[Scope]:
    """The scope before each step of the stage, and one more for its end. `parent`: the end of the stage that this one
    builds on; None where that is an image."""
    if parent is not None:
        scope = Scope(
            parent.env,
            Environment(),
            parent.user,
            parent.workdir,
            parent.shell,
            parent.shell_set,
            parent.base,
            parent.image,
        )
    else:
        facts = base_facts(stage.image)
        if facts is None and _on_windows(stage):
            facts = WINDOWS
        shell: tuple[str, ...] | None = DEFAULT_SHELL
        if facts is not None and facts.shell is not None:
            shell = facts.shell
        elif facts is not None and facts.sh in ("cmd", "powershell"):
            shell = ("cmd", "/S", "/C")
        workdir: str | Unknown = "/" if stage.image == "scratch" else base_workdir(stage.image) or UNKNOWN
        scope = Scope(Environment(), Environment(), None, workdir, shell, False, facts, stage.image)
    result = [scope]
    for step in stage.steps:
        scope = _after(scope, step.node, escape)
        result.append(scope)
    return result


def _on_windows(stage: Stage) -> bool:
    """Whether a stage on an unknown image shows that it is for Windows: by a WORKDIR with a drive."""
    return any(
        _DRIVE.match(step.node.arguments[0].value) is not None
        for step in stage.steps
        if step.node.keyword == "WORKDIR" and step.node.arguments
    )


def _after(scope: Scope, node: Instruction, escape: str) -> Scope:
    keyword = node.keyword
    if keyword == "ENV":
        env: dict[str, str | Unknown] = {}
        for pair in node.pairs:  # all of one instruction expand against the state before it
            name = scope.expand(pair.name, escape)
            if not isinstance(name, Unknown):
                env[name] = scope.expand(pair.value or "", escape)
        set_env = _with_set(scope.env, env)
        return Scope(
            set_env, scope.args, scope.user, scope.workdir, scope.shell, scope.shell_set, scope.base, scope.image
        )
    if keyword == "ARG":
        args: dict[str, str | None] = {}
        for pair in node.pairs:
            value = None if pair.value is None else scope.expand(pair.value, escape)
            args[pair.name] = value if isinstance(value, str) else None
        set_args = _with_set(scope.args, args)
        return Scope(
            scope.env, set_args, scope.user, scope.workdir, scope.shell, scope.shell_set, scope.base, scope.image
        )
    if keyword == "USER":
        user = scope.expand(node.arguments[0].value, escape)
        return Scope(scope.env, scope.args, user, scope.workdir, scope.shell, scope.shell_set, scope.base, scope.image)
    if keyword == "WORKDIR":
        path = scope.expand(node.arguments[0].value, escape)
        return Scope(
            scope.env, scope.args, scope.user, join_path(scope.workdir, path), scope.shell, scope.shell_set, scope.base,
            scope.image,
        )  # fmt: skip
    if keyword == "SHELL":
        shell = tuple([argument.value for argument in node.arguments])
        return Scope(scope.env, scope.args, scope.user, scope.workdir, shell, True, scope.base, scope.image)
    return scope


def _with_set(known: Mapping[str, Any], values: Mapping[str, Any]) -> Environment:
    environment = known if isinstance(known, Environment) else Environment().with_set(known)
    return environment.with_set(values)


def join_path(directory: str | Unknown, path: str | Unknown) -> str | Unknown:
    """`path` as seen from `directory`, normalized; POSIX paths only."""
    if isinstance(path, Unknown):
        return UNKNOWN
    if not path.startswith("/"):
        if isinstance(directory, Unknown):
            return UNKNOWN
        path = directory.rstrip("/") + "/" + path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
