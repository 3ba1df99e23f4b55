"""Effects: what a command writes, deletes and changes, and what it does to package indexes and caches.

Facts come from the tables `package_managers` and `programs`. A path is absolute and normalized, or it is not known; a
program that no table knows has no effects here, and `opaque` tells where that silence means nothing.
"""

from __future__ import annotations

import re

from dfopt.ir.commands import commands, unbundled
from dfopt.ir.scopes import join_path
from dfopt.ir.shell_body import memoized
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.expand import UNKNOWN, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dfopt.ir.commands import CommandList, Invocation
    from dfopt.ir.scopes import Scope
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.syntax.shell.nodes import Word


class Effect(Record):
    """One effect of a step.

    kind     "creates", "deletes", "changes" (mode, owner or content of what is there), "refreshes" (a package index),
             "reads-index", "installs", "removes", "opaque" (may do anything, also call the package manager)
    path     the path concerned, or a package as "apt:gcc"; for package effects the family ("apt"); for opaque the
             command as written
    at       offset in the step's shell text
    where    as Invocation.where
    program  the program
    deep     of a change: it reaches what is below the path too (chmod -R)
    within   the path comes from a pattern: what is in the directory is meant, not the directory itself (`rm /tmp/*`)
    """

    kind: str
    path: str
    at: int
    where: str
    program: str
    deep: bool = False
    within: bool = False


# build targets and program names that ask for packages
_TARGETS = regex(r"dep|setup|apt|provision|bootstrap")
_INSTALLER = regex(r"install|bootstrap|provision|setup|apt")

_merged: dict[str, dict[str, Any] | None] = {}


def manager(name: str | None) -> dict[str, Any] | None:
    """The package manager of this base name, with what it inherits (`like`); None where it is none."""
    if name is None:
        return None
    if name in _merged:
        return _merged[name]
    managers = table("package_managers")
    own = managers.get(name)
    if own is None and name.startswith("pip"):
        match = re.match(r"(pip|pip3)(?:\.\d+|3\.\d+)?\Z", name)
        own = managers.get(match[1]) if match else None
    merged = None
    if own is not None:
        parent = manager(own.get("like")) or {}
        merged = {**parent, **own, "commands": {**parent.get("commands", {}), **own.get("commands", {})}}
    _merged[name] = merged
    return merged


def cache_filling_calls(family: str) -> re.Pattern[str]:
    """What a text holds that calls a command of the family which fills its cache."""
    merged = ((name, manager(name) or {}) for name in table("package_managers"))
    managers = {name: facts for name, facts in merged if facts["family"] == family}
    commands = {name for facts in managers.values() for name, does in facts["commands"].items() if does.get("caches")}
    return re.compile(
        rf"\b(?:{'|'.join(map(re.escape, managers))})[\d.]*\s+(?:-\S{{1,99}}\s{{1,20}}){{0,20}}"
        rf"(?:{'|'.join(re.escape(name) for name in sorted(commands) if name)})\b"
    )


def subcommand(invocation: Invocation, facts: dict[str, Any]) -> tuple[str | None, int]:
    """The package manager's subcommand and the index of its word among `words`; (None, -1) where it is not fixed, and
    ("", -1) where there is none."""
    taking = facts.get("value-options", ())
    skip = False
    for index, word in enumerate(invocation.words):
        value = word.value
        if skip:
            skip = False
        elif value is None:
            return None, -1
        elif value.startswith("-"):
            skip = value in taking
        else:
            return value, index
    return "", -1


def copy_effects(step: Step, scope: Scope, escape: str) -> list[Effect]:
    """The effects of COPY and ADD, where the destination is known."""
    node = step.effective
    if not node.arguments:  # of an ONBUILD trigger, which only the build of a child image checks
        return []
    target = join_path(scope.workdir, scope.expand(node.arguments[-1].value, escape))
    return [] if isinstance(target, Unknown) else [Effect("creates", target, 0, "top", node.keyword)]


def run_effects(step: Step, body: Body, workdir: str | Unknown) -> list[Effect]:
    """The effects of a RUN that starts in `workdir`: one opaque effect where its text is not understood."""
    node = step.effective
    if node.form == "json":
        words = [argument.value for argument in node.arguments]
        return [Effect("opaque", " ".join(words), 0, "top", words[0] if words else "")]
    if body.program is None:
        return [Effect("opaque", body.text[:40], 0, "top", "")]
    return memoized(body, ("effects", workdir), lambda body: command_effects(commands(body), workdir))


def command_effects(listed: CommandList, workdir: str | Unknown) -> list[Effect]:
    """The effects of invocations that are run in `workdir`, one after the other."""
    collector = _EffectCollector(workdir)
    for invocation in listed.invocations:
        collector.invocation(invocation, listed.functions)
    return collector.effects


def killers() -> re.Pattern[str]:
    """Words one of which a step's text must hold to delete, change or renew anything that another step wrote."""
    global _killers
    if _killers is None:
        names = [name for name, facts in table("programs")["files"].items() if "deletes" in facts or "changes" in facts]
        for name in table("package_managers"):
            facts = manager(name) or {}
            for word, does in facts["commands"].items():
                if does.get("cleans") or does.get("refreshes") or does.get("removes"):
                    names.append(word)
        _killers = regex(r"\b(?:" + "|".join(sorted({re.escape(name) for name in names if name})) + r")\b")
    return _killers


_killers: re.Pattern[str] | None = None


class _EffectCollector:
    __slots__ = ("asked", "asking", "directory", "effects", "files", "opaque", "readers", "recursive")

    def __init__(self, workdir: str | Unknown) -> None:
        self.effects: list[Effect] = []
        self.directory = workdir
        self.asked: Invocation | None = None  # whether this one is recursive
        self.recursive = False
        programs = table("programs")
        self.files: dict[str, Any] = programs["files"]
        self.opaque = frozenset(programs["opaque"]["names"])
        self.asking = frozenset(table("shells")["command-paths"]["read-names"])  # they look for a program by its name
        self.readers: dict[str, list[str]] = programs["index-readers"]

    def add(self, kind: str, path: str, invocation: Invocation, *, within: bool = False) -> None:
        if kind == "changes" and self.asked is not invocation:
            self.asked, self.recursive = invocation, invocation.has_option("-R", "--recursive")
        deep = kind == "changes" and self.recursive
        self.effects.append(
            Effect(kind, path, invocation.node.start, invocation.where, invocation.program or "", deep, within)
        )

    def path(self, kind: str, word: str | None, invocation: Invocation, *, within: bool = False) -> None:
        if word is None or word.startswith("~"):  # which home that is depends on the user
            return
        target = join_path(self.directory, word)
        if not isinstance(target, Unknown):
            self.add(kind, target, invocation, within=within)

    def invocation(self, call: Invocation, functions: frozenset[str]) -> None:
        for redirect in call.node.redirects:
            if redirect.op in (">", ">>", ">|", "&>", "&>>") and redirect.target.value not in (None, "/dev/null"):
                self.path("creates", redirect.target.value, call)
        name = call.program
        if not call.node.words:
            return
        if name is None:
            self.add("opaque", "a command named by a variable", call)
        elif name == "cd":
            operands = call.operands()
            target = operands[0].value if operands else None
            self.directory = UNKNOWN if target is None else join_path(self.directory, target)
        elif name in functions:
            return  # its body was read where it is defined
        elif (facts := manager(name)) is not None:
            self.package(call, facts)
        elif name in self.files:
            self.file(call, self.files[name])
        elif self.is_opaque(call, name):
            self.add("opaque", " ".join(word.value or "$" for word in call.node.words)[:60], call)
        for family, names in self.readers.items():
            if name in names:
                self.add("reads-index", family, call)

    def is_opaque(self, invocation: Invocation, name: str) -> bool:
        """Whether a program may run commands that are not in the file."""
        values = invocation.values
        if name in ("sh", "bash", "dash", "ash", "zsh"):
            # a script by name or from a pipe; `-c 'fixed string'` was read by itself
            inline = any(v is not None and v.startswith("-") and "c" in v for v in values)
            return not inline or any(v is None for v in values[:2])
        if name in (".", "source", "eval"):
            fixed = values[0] if values else None
            return fixed is None or not fixed.startswith(("/etc/", "/root/.", "$HOME", "~"))
        path = invocation.path or ""
        if "/" in path and not path.startswith(("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")):
            return True
        if name.endswith((".sh", ".bash", ".py", ".pl", ".rb")):
            return True
        if name in self.opaque:
            # build tools are asked for packages by targets that say so
            words = " ".join(value or "$" for value in values)
            return name not in ("make", "cmake", "ninja") or _TARGETS.search(words) is not None
        if name not in self.asking and any("index" in (manager(value) or ()) for value in values):
            return True  # `fakeroot apt-get install`
        return _INSTALLER.search(name) is not None and name != "install"

    def package(self, invocation: Invocation, facts: dict[str, Any]) -> None:
        family = str(facts["family"])
        if facts.get("reads-index"):
            self.add("reads-index", family, invocation)
            return
        name, index = subcommand(invocation, facts)
        if name is None:
            self.add("opaque", "a package manager's subcommand that is not fixed", invocation)
            return
        does = facts["commands"].get(name)
        if does is None:
            return
        if does.get("refreshes"):
            self.add("refreshes", family, invocation)
            for path in facts.get("index", ()):
                self.path("creates", path, invocation)
        if does.get("reads-index"):
            self.add("reads-index", family, invocation)
        if does.get("installs"):
            self.add("installs", family, invocation)
            self.packages("creates", invocation, facts, index)
        if does.get("removes"):
            self.add("removes", family, invocation)
            self.packages("deletes", invocation, facts, index)
        if does.get("caches"):
            for path in facts.get("cache", ()):
                self.path("creates", path, invocation)
            if facts.get("self-refreshing"):
                for path in facts.get("index", ()):
                    self.path("creates", path, invocation)
        for kind in does.get("cleans", ()):
            for path in facts.get(kind, ()):
                self.path("deletes", path, invocation)

    def packages(self, kind: str, invocation: Invocation, facts: dict[str, Any], index: int) -> None:
        """What the subcommand's operands name, as paths of the form "apt:gcc"; a name for several counts as one."""
        skip = ""
        for word in invocation.words[index + 1 :] if index >= 0 else ():
            value = word.value or ""
            option, skip = skip, ""
            if value.startswith("-"):
                skip = value if value in facts.get("value-options", ()) else ""
            elif value and (not option or option in facts.get("group-options", ())):
                self.add(kind, f"{facts['family']}:{re.split('[=<>~]', value, maxsplit=1)[0]}", invocation)

    def file(self, invocation: Invocation, facts: dict[str, Any]) -> None:
        created_by, into = facts.get("creates-options", ()), facts.get("into-options", ())
        taking = (*facts.get("value-options", ()), *created_by, *into)
        values = unbundled(invocation.values, taking) if facts.get("bundles") else invocation.values
        directed = False
        for index, value in enumerate(values):
            following = values[index + 1] if index + 1 < len(values) else None
            if value is None:
                continue
            if value in created_by or value in into:
                self.path("creates", following, invocation)
                directed = True
            elif value.partition("=")[0] in (*created_by, *into) and "=" in value:
                self.path("creates", value.partition("=")[2], invocation)
                directed = True
        operands = invocation.operands(taking)
        for kind in ("creates", "deletes", "changes"):
            every = kind == "creates" and invocation.has_option(*facts.get("directory-options", ()))
            rule = "operands" if every else facts.get(kind)
            for word in _chosen(operands, rule, directed):
                self.path(kind, globless(word), invocation, within=word.value is None)
        if facts.get("url") and not directed:
            for word in operands:
                self.path("creates", _url_name(word.value), invocation)
        if any(value in facts.get("url-option", ()) for value in values if value):
            for word in operands:
                self.path("creates", _url_name(word.value), invocation)
        if facts.get("clone") and operands and operands[0].value == "clone" and len(operands) > 1:
            target = (
                operands[-1].value if len(operands) > 2 else (_url_name(operands[1].value) or "").removesuffix(".git")
            )
            self.path("creates", target or None, invocation)


def _chosen(operands: list[Word], rule: str | None, directed: bool) -> list[Word]:
    if rule == "operands":
        return operands
    if rule == "last":
        return operands[-1:] if len(operands) > 1 and not directed else []
    if rule == "but-last":
        return operands if directed else operands[:-1]
    if rule == "but-first":
        return operands[1:]
    return []


def globless(word: Word) -> str | None:
    """A word's path; of a glob, the directory that holds what it matches ("/tmp/*" is all of /tmp)."""
    if word.value is not None:
        return word.value
    text = ""
    for part in word.parts:
        value = getattr(part, "value", None)
        if value is None:
            return None
        if getattr(part, "braces", False) or getattr(part, "tilde", False):
            return None
        if getattr(part, "globs", False):
            head = re.split(r"[*?\[]", value, maxsplit=1)[0]
            text += head
            return text.rpartition("/")[0] or None
        text += value
    return None


def _url_name(url: str | None) -> str | None:
    if url is None or "://" not in url:
        return None
    return url.rpartition("/")[2].partition("?")[0] or None


def covers(directory: str, path: str) -> bool:
    """Whether `path` is `directory` or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def overlap(one: str, other: str) -> bool:
    """Whether one of two paths is the other or lies below it."""
    return covers(one, other) or covers(other, one)


def above(path: str) -> Iterator[str]:
    """A path, and every directory that covers it."""
    yield path
    yield from strictly_above(path)


def strictly_above(path: str) -> Iterator[str]:
    """The directories that something at `path` is in; of "/" itself "/"."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
    if end == 0:
        yield "/"


def takes(effect: Effect, directory: str) -> bool:
    """Whether an effect deletes a directory itself, with what is in it, and not only what is in it."""
    if effect.kind != "deletes" or not covers(effect.path, directory):
        return False
    return not (effect.within and effect.path == directory)
