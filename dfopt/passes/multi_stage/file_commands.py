"""What the commands that handle files leave: cp, tar, curl, ln and their like."""

from __future__ import annotations

import re
from itertools import pairwise

from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.commands import unbundled
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.attributes import Attribute
from dfopt.passes.multi_stage.owners import ROOT, OwnerCommand, with_group
from dfopt.passes.multi_stage.shell_words import braces, word_text
from dfopt.passes.multi_stage.unblock import APART, WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Step
    from dfopt.passes.multi_stage.flow import Flow
    from dfopt.syntax.shell.nodes import Word


# The role of what `git config` writes: a program needs it that calls git
GIT_CONFIG = "git-config"


class FileCommands:
    """Base of the reader of commands, which fills the attributes."""

    scope: Scope
    flow: Flow
    step: Step
    line: int
    directory: str | Unknown
    user: str
    variables: dict[str, str | None]
    files: dict[str, Any]
    harmless: frozenset[str]

    def home_of_user(self, given: dict[str, str]) -> str | None:
        """The home directory of the user who runs the step; None where it is not known."""
        raise NotImplementedError

    def text(self, word: Word) -> str | None:
        """A word's value with the variables that the file sets; None where it has others, or globs."""
        return word_text(word, self.variable)

    def variable(self, name: str) -> str | None:
        if name in self.variables:
            return self.variables[name]
        if name in self.scope.env:
            value = self.scope.env[name]
            return value if isinstance(value, str) else None
        default = self.scope.args.get(name)
        if default:
            self.flow.arguments[name] = default
        return default

    def place(self, word: str | None) -> str:
        path = join_path(self.directory, word) if word is not None and not word.startswith("~") else _UNKNOWN
        if word is not None and word.startswith("~/") and self.scope.root:
            home = self.scope.env.get("HOME", "/root")
            path = join_path(home, word[2:]) if isinstance(home, str) else _UNKNOWN
        if isinstance(path, Unknown):
            raise Refusal(f"a path in line {self.line} depends on something unknown", WRITE_OUT)
        return path

    def write(self, word: str | None, kind: str, role: str = "") -> None:
        path = self.place(word)
        if kind == "directory" and self.user:
            self.flow.attributes.append(Attribute(path, "chown", with_group(self.user), False, self.line))
        if role in ("repository", "inside", "download"):
            self.flow.fetched.append((path, self.line))
        if path not in ("/dev/null",):
            self.flow.paths.append(WrittenPath(path, self.step, kind, role=role))

    def attribute(self, path: str, program: str, value: str | None, deep: bool) -> None:
        """Notes a mode or an owner that a command sets."""
        self.flow.attributes.append(Attribute(path, program, value or "$", deep, self.line))
        if program == "chown" and value is not None and not value.startswith(":"):
            owner = value if ":" in value or self.user else f"{value}:{'0' if value.isdigit() else ROOT}"
            self.flow.owned.append(OwnerCommand(path, owner, deep, self.step.index))  # chown(1) leaves the group

    def find(self, invocation: Invocation) -> None:
        """What the commands that find(1) runs do: they get each path at or below its starting points."""
        values = [self.text(word) for word in invocation.words]
        if {"-ok", "-okdir", "-fprint", "-fprint0", "-fprintf", "-fls"} & {*values}:
            raise Refusal(f"what find writes in line {self.line} is not followed", APART)
        start = 0
        while start < len(values) and (values[start] or "-")[:1] not in ("-", "(", "!"):
            start += 1
        for index, value in enumerate(values):
            if value not in ("-exec", "-execdir"):
                continue
            program, *words = values[index + 1 :] or [None]
            if program in ("chmod", "chown", "chgrp"):
                operands = [word for word in words if word is None or not word.startswith("-")]
                for place in values[:start] or ["."]:
                    self.flow.changed.append((self.place(place), self.line))
                    if "f" not in [after for before, after in pairwise(values) if before == "-type"]:
                        self.attribute(self.place(place), program, operands[0] if operands else None, True)
            elif program not in ("rm", "strip", "touch", "sed") and program not in self.harmless:
                raise Refusal(f"what find runs in line {self.line} is not followed", APART)

    def umask(self, invocation: Invocation) -> None:
        """Notes the umask under which the rest of the step makes directories."""
        for word in invocation.operands():
            value = self.text(word)
            if value is None or not re.fullmatch(r"[0-7]{1,4}", value):
                raise Refusal(f"the umask of line {self.line} is not written as a number", "write it as a number")
            self.flow.masks[self.step.index] = int(value, 8)

    def option(self, invocation: Invocation, short: str, long: str) -> str | None:
        """The value of an option: `-m 700`, `-m700`, `--mode=700`; "$" where it is not fixed."""
        values = [self.text(word) for word in invocation.words]
        for index, value in enumerate(values):
            following = (values[index + 1 : index + 2] or [None])[0]
            if value == long or (value is not None and re.fullmatch(rf"-[a-zA-Z]*{short[1]}", value)):
                return following or "$"
            if value is not None and value.startswith(f"{long}="):
                return value.partition("=")[2]
            if value is not None and value.startswith(short):
                return value[2:]
        return None

    def file(self, invocation: Invocation, name: str) -> None:
        facts = self.files.get(name, {})
        taking = (*facts.get("value-options", ()), *facts.get("creates-options", ()), *facts.get("into-options", ()))
        if name == "git":  # git-clone(1)
            taking = (
                "-C",
                "-c",
                "-b",
                "--branch",
                "--depth",
                "--config",
                "-o",
                "--origin",
                "--reference",
                "-j",
                "--jobs",
            )
        words = invocation.operands(taking)
        texts = [self.text(word) for word in words]
        if name in ("chown", "chgrp"):
            for word in texts[1:]:
                if word is not None:
                    self.flow.changed.append((self.place(word), self.line))
                    self.attribute(self.place(word), name, texts[0], invocation.has_option("-R", "--recursive"))
            return
        if name in ("rm", "rmdir", "unlink", "shred"):
            for word, node in zip(texts, words, strict=True):
                if word is not None:
                    self.flow.delete(self.place(word))
                else:
                    raw = "".join(getattr(part, "value", "") or "" for part in node.parts)
                    head = re.split(r"[*?\[{]", raw, maxsplit=1)[0]
                    if raw.endswith("/*") and head.startswith("/") and head[:-1] not in SYSTEM:
                        self.flow.delete(head[:-1])
            return
        if name == "mkdir":
            mode = self.option(invocation, "-m", "--mode")
            texts = [self.text(word) for word in invocation.operands(("-m", "--mode"))]
            for word, node in zip(texts, invocation.operands(("-m", "--mode")), strict=True):
                for part in braces(word, node):
                    self.write(part, "directory")
                    if mode is not None:
                        self.attribute(self.place(part), "chmod", mode, False)
            return
        if name == "ln":
            if len(texts) == 2 and texts[0] and texts[1]:
                target = self.place(texts[1])
                if target in SYSTEM or self.flow.paths.is_directory(target):
                    target = target.rstrip("/") + "/" + texts[0].rpartition("/")[2]
                self.flow.paths.append(WrittenPath(target, self.step, "file", source=texts[0], role="link"))
                return
            raise Refusal(f"the link in line {self.line} is not followed", APART)
        if name in ("cp", "mv", "install"):
            self.copies(invocation, name, texts, [w.value for w in invocation.words])
            return
        if name == "tar":
            self.unpack(invocation)
            return
        if name == "git" and texts[:1] == ["config"]:
            self.git_config(invocation)
            return
        directed = False
        values = [self.text(word) for word in invocation.words]
        if facts.get("bundles"):
            values = unbundled(values, taking)
        for index, value in enumerate(values):
            following = values[index + 1] if index + 1 < len(values) else None
            if value is None:
                continue
            if value in facts.get("creates-options", ()):
                directed = True
                if following != "-":
                    self.write(following, "file")
            elif value in facts.get("into-options", ()):
                directed = True
                self.write(following, "file", "inside")
            elif value.partition("=")[0] in facts.get("creates-options", ()) and "=" in value:
                directed = True
                self.write(value.partition("=")[2], "file")
        if facts.get("creates") == "operands":
            for word in texts:
                self.write(word, "file")
        if facts.get("clone") and texts[:1] == ["clone"]:
            url = texts[1] if len(texts) > 1 else None
            name_ = url.rstrip("/").rpartition("/")[2].removesuffix(".git") if url else None
            self.write(texts[2] if len(texts) > 2 else name_, "file", "repository")
        elif (name == "wget" and not directed) or (
            name == "curl" and any(v in facts.get("url-option", ()) for v in values if v)
        ):
            for word in texts:
                if word is None:
                    raise Refusal(f"what is downloaded in line {self.line} is not fixed", WRITE_OUT)
                if "://" in word:
                    self.write(word.rpartition("/")[2].partition("?")[0] or None, "file", "download")
        elif name == "unzip" and not directed:
            self.write(".", "file", "inside")

    def git_config(self, invocation: Invocation) -> None:
        """Notes the file that `git config --global` or `--system` writes (git-config(1))."""
        if invocation.has_option("--system"):
            path: str | None = "/etc/gitconfig"
        elif invocation.has_option("--global"):
            home = self.home_of_user({key: value for key, value in self.scope.env.items() if isinstance(value, str)})
            path = home and f"{home}/.gitconfig"
        else:
            return
        if not invocation.has_option("--get", "--list", "-l"):
            self.flow.paths.append(WrittenPath(path or "", self.step, "file", role=GIT_CONFIG))

    def copies(self, invocation: Invocation, name: str, texts: list[str | None], values: list[str | None]) -> None:
        into = invocation.has_option("-t", "--target-directory")
        if name == "install" and invocation.has_option("-d", "--directory"):
            owner, group = self.option(invocation, "-o", "--owner"), self.option(invocation, "-g", "--group")
            mode = self.option(invocation, "-m", "--mode")
            for operand in invocation.operands(("-o", "--owner", "-g", "--group", "-m", "--mode")):
                path = self.place(self.text(operand))
                self.write(self.text(operand), "directory")
                if owner is not None or group is not None:
                    self.attribute(path, "chown", f"{owner or ''}:{group}" if group else owner, False)
                if mode is not None:
                    self.attribute(path, "chmod", mode, False)
            return
        if into or len(texts) < 2:
            raise Refusal(f"what {name} in line {self.line} writes is not followed", APART)
        target = self.place(texts[-1])
        last = texts[-1] or ""
        directory = last.endswith("/") or last in (".",) or len(texts) > 2 or target in SYSTEM
        directory = directory or self.flow.paths.is_directory(target)
        for word in texts[:-1]:
            if word is None:
                self.flow.paths.append(WrittenPath(target, self.step, "file", role="inside"))
                continue
            base = word.rstrip("/").rpartition("/")[2]
            source = self.place(word)
            path = target.rstrip("/") + "/" + base if directory and base not in (".", "") else target
            if base in (".", ""):
                source = source.rstrip("/")
            moved = self.flow.paths.below(source)
            for _, m in moved:
                place = path + m.path[len(source) :]
                self.flow.paths.append(WrittenPath(place, self.step, m.kind, m.source, m.role))
            if not moved:
                self.flow.paths.append(WrittenPath(path, self.step, "file", source, "copy"))
            if name == "mv":
                self.flow.deleted.append((source, len(self.flow.calls)))
                for number, m in moved:
                    if m.step is not self.step or not m.path.startswith(path):
                        self.flow.paths.remove(number)

    def unpack(self, invocation: Invocation) -> None:
        values = [self.text(word) for word in invocation.words]
        into: str | None = "."
        for index, value in enumerate(values):
            if value in ("-C", "--directory"):
                into = values[index + 1] if index + 1 < len(values) else None
            elif value is not None and value.startswith("--directory="):
                into = value.partition("=")[2]
        first = values[0] or ""
        if first.lstrip("-").startswith("c") or "-c" in values or "--create" in values:
            raise Refusal(f"the archive that line {self.line} makes is not followed", APART)
        self.write(into, "file", "inside")


_UNKNOWN = Unknown()
