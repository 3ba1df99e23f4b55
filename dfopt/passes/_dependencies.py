"""Whether a RUN installs dependencies and sees nothing of the sources but manifests: the questions of each command."""

from __future__ import annotations

import posixpath
import re

from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers, globless
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program, Step
    from dfopt.ir.scopes import Scope
    from dfopt.passes.base import Facts
    from dfopt.syntax.shell.nodes import Word

INSTALLS = regex(
    r"\b(?:npm\s+(?:ci|i|install)|yarn|pnpm\s+(?:i|install)|pip[\d.]*\s+install|poetry\s+install|uv\s+(?:sync|pip)"
    r"|go\s+mod|bundler?\s+install|bundle|composer\s+install|mvn|dotnet\s+restore)\b"
)
_HARMLESS = frozenset(("DEBIAN_FRONTEND", "CI", "NODE_ENV", "LANG", "LC_ALL", "TERM", "CGO_ENABLED", "GOPROXY"))


class Reads(Exception):
    """The command reads, or may read, more of the sources than can be told; the message says what."""


class Independent(Record):
    """What a RUN that installs dependencies sees and leaves of the copied directory.

    files   paths of the context that it reads
    doubts  what else it may read, as far as that cannot be told
    writes  paths of the context's tree that it may make; "/" at the end: a directory
    what    the command that installs, in short; "" where none does
    """

    files: tuple[str, ...]
    doubts: tuple[str, ...]
    writes: tuple[str, ...]
    what: str


class Sources:
    """The copied directory of the context, as commands see it. `prefix` ("" or "app/") leads from the context to it.
    `paths` are relative to it."""

    def __init__(self, facts: Facts, prefix: str, destination: str) -> None:
        self.facts = facts
        self.prefix = prefix
        self.destination = destination
        self._paths: frozenset[str] | None = None

    @property
    def paths(self) -> frozenset[str]:
        """Raises Reads where the context is not known."""
        if self._paths is None:
            known = self.facts.context_paths()
            if known is None:
                raise Reads("the build context is not known, or too large (--context names it)")
            size = len(self.prefix)
            self._paths = frozenset([path[size:] for path in known if path.startswith(self.prefix)])
        return self._paths

    def text(self, path: str) -> str:
        """The content of a file that is there. Raises Reads."""
        found = self.facts.context_file(self.prefix + path)
        if found is None:
            raise Reads(f"{path} cannot be read")
        try:
            return found.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Reads(f"{path} is not UTF-8") from None

    def holds(self, path: str) -> bool:
        """Whether a file or directory is there."""
        return path in self.paths or any(other.startswith(path + "/") for other in self.paths)


class Command:
    """One command of the RUN, with the directory that it runs in. Readers add what it reads to `files`, and so on."""

    def __init__(self, one: Invocation, sources: Sources, directory: str, scope: Scope) -> None:
        self.sources = sources
        self.scope = scope
        self.absolute = directory
        self.program = one.program or ""
        self.values: list[str] = []
        for word in one.words:
            value = word.value if word.value is not None else _known_part(self.program, word)
            if value is None:
                raise Reads(f"a word of `{self.program}` is not fixed")
            self.values.append(value)
        self.files: list[str] = []
        self.doubts: list[str] = []
        self.writes: list[str] = []

    @property
    def directory(self) -> str:
        """The working directory relative to the copied one, "" or with "/" at the end. Raises Reads outside of it."""
        inside = self.path(".")
        return "" if inside == "." else inside + "/"

    def path(self, name: str) -> str:
        """A path as the command sees it, relative to the copied directory. Raises Reads outside of it."""
        found = join_path(self.absolute, name)
        if not isinstance(found, str) or not covers(self.sources.destination, found):
            raise Reads(f"{name} in {self.absolute} lies outside of what is copied")
        return posixpath.relpath(found, self.sources.destination)

    def holds(self, name: str) -> bool:
        return self.sources.holds(self.path(name))

    def text(self, name: str) -> str:
        return self.sources.text(self.path(name))

    def reads(self, name: str) -> None:
        """A file that must be there. Raises Reads."""
        path = self.path(name)
        if path not in self.sources.paths:
            raise Reads(f"{path} is not in the build context")
        if path not in self.files:
            self.files.append(path)

    def known(self, facts: dict[str, Any], words: Iterable[str]) -> list[str]:
        """The operands among words whose options are all known. Raises Reads."""
        plain, taking = facts.get("options", ()), facts.get("value-options", ())
        operands: list[str] = []
        skip = False
        for word in words:
            if skip:
                skip = False
            elif not word.startswith("-"):
                operands.append(word)
            elif word in taking:
                skip = True
            elif word not in plain and word.partition("=")[0] not in taking:
                raise Reads(f"what `{self.program} {word}` reads is not known")
        return operands

    def manifests(self, facts: dict[str, Any]) -> None:
        """Takes the files of the table: those that are there. Raises Reads where the manifest is not."""
        for name in facts.get("required", ()):
            self.reads(name)
        for name in facts.get("read", ()):
            if self.holds(name):
                self.reads(name)
        self.writes += [self.directory + name for name in facts["writes"]]

    def locked(self, facts: dict[str, Any]) -> None:
        """A doubt where the install may write a lock file anew, which the sources would then bring back as it was."""
        present = [name for name in facts.get("locks", ()) if self.holds(name)]
        if present and not any(word in facts["frozen"] for word in self.values):
            self.doubts.append(f"{present[0]} stays as it is in the context, where the install may write it anew")

    def environment(self, facts: dict[str, Any]) -> None:
        """Raises Reads for a variable that configures the program in a way that is not known to be harmless."""
        for name, value in self.scope.env.items():
            prefix = next((prefix for prefix in facts.get("environment", ()) if name.startswith(prefix)), None)
            if prefix is not None and name[len(prefix) :] not in facts["harmless"]:
                raise Reads(f"ENV {name} may lead `{self.program}` to other files")
            if isinstance(value, str) and name == "NODE_OPTIONS" and re.search(r"(?:^|\s)(?:-r|--(?:req|imp))", value):
                raise Reads("NODE_OPTIONS loads a file")


def _known_part(program: str, word: Word) -> str | None:
    """What can be said of a word that is not fixed: the path before a pattern of `rm`, the name in `name=$VERSION`."""
    if program == "rm":
        return globless(word)
    text = ""
    for part in word.parts:
        parts = getattr(part, "parts", None)
        value = getattr(part, "value", None)
        if value is None and parts:
            value = getattr(parts[0], "value", None)
        if value is None:
            break
        text += value
        if parts is not None:
            break
    return text + "0" if re.match(r"[A-Za-z0-9][\w.+:\[\]-]*[=<>~]", text) else None


def independent(program: Program, step: Step, sources: Sources) -> Independent | None:
    """What a RUN sees of the sources (`what` is "" for one that installs nothing); None for one that does other things.
    Raises Reads where it installs, but may see more."""
    body = program.body(step)
    installs = INSTALLS.search(body.text) is not None
    try:
        return _independent(program, step, sources)
    except _OtherThing as other:
        if installs:
            raise Reads(str(other)) from None
        return None


class _OtherThing(Exception):
    pass


def _independent(program: Program, step: Step, sources: Sources) -> Independent | None:
    from dfopt.passes._dependency_readers import reader_of, short

    node = step.effective
    body = program.body(step)
    if body.program is None or body.form not in ("line", "script"):
        raise _OtherThing(body.why or "its shell text is not understood")
    for flag in node.flags:
        if flag.name != "mount" or re.search(r"type=(?:cache|secret|ssh|tmpfs)\b", flag.value or "") is None:
            raise _OtherThing(f"the RUN has --{flag.name}={flag.value}")
        mounted = re.search(r"(?:target|dst|destination)=([^,]*)", flag.value or "")
        if mounted is not None and (not mounted[1].startswith("/") or covers(sources.destination, mounted[1])):
            raise _OtherThing("a mount lies over what is copied")
    scope = program.scope(step)
    directory = scope.workdir
    if isinstance(directory, Unknown):
        raise _OtherThing("the working directory is not known")
    files: list[str] = []
    doubts: list[str] = []
    writes: list[str] = []
    what = ""
    for one in program.commands(step).invocations:
        name = one.program
        if one.where != TOP or one.nested or one.wrappers or name is None or not one.node.words:
            raise _OtherThing(
                f"`{body.text[one.node.start : one.node.end][:40]}` runs on a condition, or inside another"
            )
        _check_edges(one)
        if name == "cd":
            operand = one.values[0] if len(one.values) == 1 else None
            target = join_path(directory, operand) if operand and operand not in ("-", "~") else None
            if not isinstance(target, str):
                raise _OtherThing("where `cd` leads is not known")
            directory = target
            continue
        command = Command(one, sources, directory, scope)
        reader = reader_of(command)
        if reader is None:
            raise _OtherThing(f"`{name}` may read the sources")
        reader(command)
        files += [path for path in command.files if path not in files]
        doubts += [doubt for doubt in command.doubts if doubt not in doubts]
        writes += command.writes
        what = what or short(command)
    return Independent(tuple(files), tuple(doubts), tuple(writes), what)


def _check_edges(one: Invocation) -> None:
    for assignment in one.node.assignments:
        if assignment.name not in _HARMLESS:
            raise _OtherThing(f"{assignment.name} is set for `{one.program}`")
    for redirect in one.node.redirects:
        if redirect.op in (">&", "<&"):
            continue
        if redirect.target.value != "/dev/null":
            raise _OtherThing(f"`{one.program}` is redirected to a file")


def collision(sources: Sources, writes: Iterable[str]) -> str:
    """What of the sources lies where the install writes, "" for nothing. Locks among `writes` that the context holds
    are judged elsewhere (`Command.locked`)."""
    for path in writes:
        if path.endswith("/") and sources.holds(path[:-1]):
            return path
    return ""


def system_directory(destination: str, sources: Sources) -> str:
    """Why what is copied to `destination` may be seen by any program; "" where it is not."""
    known = table("dependency_files")["system"]
    if destination == "/" or any(covers(one, destination) or covers(destination, one) for one in known["directories"]):
        return f"programs of the image may read what is copied to {destination}"
    if destination == "/root" or re.fullmatch(r"/home/[^/]+", destination):
        for name in known["home"]:
            if sources.holds(name):
                return f"{name} in the home directory {destination} configures programs"
    return ""
