"""One command of a RUN that installs dependencies: its words, where it runs, and the questions that all readers ask."""

from __future__ import annotations

import posixpath
import re

from dfopt.ir.effects import covers, globless
from dfopt.ir.scopes import join_path
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.scopes import Scope
    from dfopt.passes.dependency_layers.sources import Sources
    from dfopt.syntax.shell.nodes import Word


class Command:
    """One command of the RUN, with the directory that it runs in. Readers add what it reads to `files`, and so on."""

    def __init__(self, program: str, values: list[str], sources: Sources, directory: str, scope: Scope) -> None:
        self.program = program
        self.values = values
        self.sources = sources
        self.absolute = directory
        self.scope = scope
        self.files: list[str] = []
        self.doubts: list[str] = []
        self.writes: list[str] = []

    @classmethod
    def of(cls, invocation: Invocation, sources: Sources, directory: str, scope: Scope) -> Command:
        """The command of an invocation. Raises Refusal for a word that is not fixed."""
        program = invocation.program or ""
        values: list[str] = []
        for word in invocation.words:
            value = word.value if word.value is not None else _fixed_part(program, word)
            if value is None:
                raise Refusal(f"a word of `{program}` is not fixed")
            values.append(value)
        return cls(program, values, sources, directory, scope)

    @property
    def directory(self) -> str:
        """The working directory relative to the copied one, "" or with "/" at the end. Raises Refusal outside of it."""
        inside = self.path(".")
        return "" if inside == "." else inside + "/"

    def path(self, name: str) -> str:
        """A path as the command sees it, relative to the copied directory. Raises Refusal outside of it."""
        path = join_path(self.absolute, name)
        if not isinstance(path, str) or not covers(self.sources.destination, path):
            raise Refusal(f"{name} in {self.absolute} lies outside of what is copied")
        return posixpath.relpath(path, self.sources.destination)

    def holds(self, name: str) -> bool:
        return self.sources.holds(self.path(name))

    def above(self, name: str) -> list[str]:
        """The paths of that name in the copied directories above the one that the command runs in, nearest first."""
        parts = self.directory.split("/")[:-1]
        paths = ["/".join([*parts[:depth], name]) for depth in range(len(parts) - 1, -1, -1)]
        return [path for path in paths if self.sources.holds(path)]

    def text(self, name: str) -> str:
        return self.sources.text(self.path(name))

    def reads(self, name: str) -> None:
        """A file that must be there. Raises Refusal."""
        path = self.path(name)
        if path not in self.sources.paths:
            raise Refusal(f"{path} is not in the build context")
        if path not in self.files:
            self.files.append(path)

    def operands(self, facts: dict[str, Any], words: Iterable[str]) -> list[str]:
        """The operands among words whose options are all known. Raises Refusal."""
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
                raise Refusal(f"what `{self.program} {word}` reads is not known")
        return operands

    def manifests(self, facts: dict[str, Any]) -> None:
        """Takes the files of the table: those that are there. Raises Refusal where the manifest is not, and where files
        above the directory count too."""
        for name in facts.get("above", ()):
            for path in self.above(name):
                raise Refusal(f"{path}, above the directory of the project, may count too")
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

    def place(self, name: str, value: object, below: str = "") -> None:
        """A setting that says where the install writes. Raises Refusal where it cannot be told."""
        target = join_path(self.absolute, value) if isinstance(value, str) else None
        if not isinstance(target, str):
            raise Refusal(f"where {name} leads is not known")
        if covers(self.sources.destination, target):
            inside = posixpath.normpath(posixpath.join(posixpath.relpath(target, self.sources.destination), below))
            if inside == ".":
                raise Refusal(f"{name} makes the install write between the sources")
            self.writes.append(inside + "/")

    def environment(self, facts: dict[str, Any]) -> None:
        """Raises Refusal for a variable that configures the program in a way that is not known to be harmless."""
        for name, value in self.scope.env.items():
            prefix = next((prefix for prefix in facts.get("environment", ()) if name.startswith(prefix)), None)
            if prefix is not None and name[len(prefix) :] not in facts["harmless"]:
                raise Refusal(f"ENV {name} may lead `{self.program}` to other files")
            if name in facts.get("places", {}):
                self.place(name, value, facts["places"][name])
            if isinstance(value, str) and name == "NODE_OPTIONS" and re.search(r"(?:^|\s)(?:-r|--(?:req|imp))", value):
                raise Refusal("NODE_OPTIONS loads a file")


def _fixed_part(program: str, word: Word) -> str | None:
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
