"""What the commands of a RUN do to files, packages and accounts."""

from __future__ import annotations

import re

from dfopt.ir.effects import manager, subcommand
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.multi_stage.file_commands import FileCommands
from dfopt.passes.multi_stage.flow import Flow, InstalledPackage, ToolCall
from dfopt.passes.multi_stage.shell_words import compiler_words
from dfopt.passes.multi_stage.unblock import APART, WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Step

_SYSTEM_PACKAGES = ("apt", "apk")


class FlowReader(FileCommands):
    """Reads the commands of a RUN, one after the other, into a Flow."""

    def __init__(self, scope: Scope, flow: Flow, step: Step, tools: frozenset[str], context: Facts) -> None:
        self.context = context
        self.depth = 0
        self.scope = scope
        self.flow = flow
        self.step = step
        self.line = step.node.line
        self.tools = tools
        self.directory: str | Unknown = flow.home if isinstance(scope.workdir, Unknown) else scope.workdir
        self.user = "" if scope.user is None or scope.root or isinstance(scope.user, Unknown) else scope.user
        self.variables: dict[str, str | None] = {}
        facts = table("split_programs")
        self.harmless = frozenset(facts["harmless"])
        self.in_place = frozenset(facts["in-place"])
        self.users = frozenset(facts["users"])
        self.leaves: dict[str, list[str]] = facts["leaves"]
        self.compilers = frozenset(facts["compilers"])
        self.files = table("programs")["files"]
        self.automatic = False  # whether apt-mark(8) gave packages free for autoremove
        self.accounts = 0
        self.commands = 0

    def read(self, invocation: Invocation, functions: frozenset[str]) -> None:
        for assignment in invocation.node.assignments:
            self.variables[assignment.name] = self.text(assignment.value) if assignment.value is not None else None
        for redirect in invocation.node.redirects:
            if redirect.op in (">", ">>", ">|", "&>", "&>>") and redirect.target.value not in (
                "/dev/null",
                "/dev/stderr",
                "/dev/stdout",
            ):
                self.write(self.text(redirect.target), "file")
        if not invocation.node.words:
            return
        name = invocation.program
        if name is None:
            raise Refusal(f"a variable names a command in line {self.line}", WRITE_OUT)
        self.commands += 1
        if name in functions:
            return
        if name == "cd":
            target = self.text(invocation.words[0]) if invocation.words else None
            self.directory = join_path(self.directory, target) if target is not None else _UNKNOWN
            self.commands -= 1
        elif name == "export":
            for word in invocation.words:
                key, _, value = (self.text(word) or "").partition("=")
                if key:
                    self.variables[key] = value
        elif (facts := manager(name)) is not None and facts["family"] in _SYSTEM_PACKAGES:
            self.package(invocation, facts)
        elif name in ("dpkg", "rpm", "gdebi") and any(
            v in ("-i", "--install", "-Uvh", "-ivh") for v in invocation.values
        ):
            raise Refusal(f"line {self.line} installs a package file, whose content is not known")
        elif facts is not None and facts["family"] in ("dnf", "zypper", "pacman"):
            raise Refusal(f"line {self.line} installs packages with {name}, whose names for the run time are not known")
        elif name == "apt-mark":
            self.automatic = self.automatic or "auto" in invocation.values[:1]
        elif name in self.harmless or name == "dpkg" or (name in ("sh", "bash") and self.inline(invocation)):
            pass
        elif name in self.in_place:
            self.in_place_of(invocation, name)
        elif name in ("cp", "mv", "install") and any(v in ("--version", "--help") for v in invocation.values):
            pass
        elif name in self.users:
            self.accounts += 1
            self.home(invocation)
        elif name in self.tools or _unversioned(name) in self.tools:
            self.call(invocation)
        elif name in self.files or name in ("chown", "chgrp"):
            self.file(invocation, name)
        elif name == "find":
            self.find(invocation)
        elif name == "umask":
            self.umask(invocation)
        elif name in self.leaves:
            self.flow.paths.extend(WrittenPath(path, self.step, "file") for path in self.leaves[name])
        elif name == "update-ca-certificates":
            if self.flow.paths.below("/usr/local/share/ca-certificates"):
                self.flow.paths.append(WrittenPath("/etc/ssl/certs", self.step, "file"))
        elif (name == "update-alternatives" and self.alternative(invocation)) or (
            len(invocation.values) == 1 and invocation.values[0] in _TELLS
        ):
            pass
        elif not self.script(invocation):
            if isinstance(self.directory, Unknown):
                raise Refusal(f"what `{name}` in line {self.line} writes is not known", APART)
            self.call(invocation)  # perhaps what a tool has built before: `own_program` tells

    def script(self, invocation: Invocation) -> bool:
        """Reads a shell script of the build context as if it stood here; False where it is none."""
        from dfopt.analysis.startup import _body
        from dfopt.ir.commands import commands
        from dfopt.syntax.shell import ShellSyntaxError, parse_shell

        word = invocation.path or ""
        if invocation.program in ("sh", "bash", "dash", "ash", "source", "."):
            word = next((value for value in invocation.values if value is not None and not value.startswith("-")), "")
        path = join_path(self.directory, word) if word else _UNKNOWN
        script = next(
            (m for m in reversed(self.flow.paths) if m.path == path and m.kind == "context" and m.source), None
        )
        data = self.context.context_file(script.source) if script is not None else None
        if data is None or self.depth > 2 or data[:4] == b"\x7fELF":
            return False
        first = data.split(b"\n", 1)[0]
        if first.startswith(b"#!") and not re.search(rb"\b(?:ba|da|a)?sh\b", first):
            return False
        text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        try:
            tree = parse_shell(text)
        except ShellSyntaxError:
            return False
        self.depth += 1
        before = self.directory
        command_list = commands(_body(tree, text))
        for inner in command_list.invocations:
            self.read(inner, command_list.functions)
        self.directory = before
        self.depth -= 1
        return True

    def alternative(self, invocation: Invocation) -> bool:
        """Whether update-alternatives(1) makes links to programs of builds alone: gcc, g++ and their like."""
        values = invocation.values
        if "--install" not in values or None in values:
            return False
        link = values[values.index("--install") + 1 :][:1]
        return bool(link and link[0] and link[0].rpartition("/")[2] in self.compilers)

    def in_place_of(self, invocation: Invocation, name: str) -> None:
        """chmod, sed -i and the like: which files they change."""
        if name == "sed" and not invocation.has_option("-i", "--in-place"):
            return
        words = invocation.operands(("-e", "--expression", "-f", "--file", "-d", "-r", "-t", "--reference", "-o"))
        scripted = invocation.has_option("-e", "--expression", "-f", "--file")
        for word in words[1:] if name == "chmod" or (name == "sed" and not scripted) else words:
            text = self.text(word)
            fixed = text is not None
            if text is None:
                raw = "".join(getattr(part, "value", "") or "" for part in word.parts)
                text = re.split(r"[*?\[{]", raw, maxsplit=1)[0].rpartition("/")[0] or "."
            self.flow.changed.append((self.place(text), self.line))
            if name == "chmod" and fixed and not invocation.has_option("--reference"):
                self.attribute(self.place(text), name, self.text(words[0]), invocation.has_option("-R", "--recursive"))
            if name == "touch":
                self.flow.paths.append(WrittenPath(self.place(text), self.step, "file"))

    def inline(self, invocation: Invocation) -> bool:
        return any(v is not None and re.fullmatch(r"-\w*c", v) for v in invocation.values)

    def call(self, invocation: Invocation) -> None:
        if isinstance(self.directory, Unknown):
            raise Refusal(
                f"the directory in which {invocation.program} runs in line {self.line} is not known", WRITE_OUT
            )
        given = {**{k: v for k, v in self.scope.env.items() if isinstance(v, str)}}
        given.update({k: v for k, v in self.variables.items() if v is not None})
        words = tuple(self.words_of(invocation))
        if invocation.wrappers:  # `env A=1 go build`: the assignments stand among the words
            for word in invocation.node.words:
                value = self.text(word)
                if value is not None and re.match(r"\w+=", value):
                    key, _, rest = value.partition("=")
                    given[key] = rest
                elif value == invocation.path:
                    break
        tool_call = ToolCall(
            _unversioned(invocation.program or ""),
            words,
            self.directory,
            given,
            self.step,
            invocation.where,
            self.home_of_user(given),
            invocation.path or "",
            not self.user and not isinstance(self.scope.user, Unknown),
        )
        self.flow.calls.append(tool_call)

    def words_of(self, invocation: Invocation) -> Iterator[str | None]:
        compiles = _unversioned(invocation.program or "") in self.compilers
        for word in invocation.words:
            text = self.text(word)
            others = compiler_words(word) if text is None and compiles else None
            if others is None:
                yield text
            else:
                yield from others

    def home_of_user(self, given: dict[str, str]) -> str | None:
        """The home directory of the user who runs the step; None where it is not known."""
        if isinstance(self.scope.user, Unknown):
            return None
        if "HOME" in given:
            return given["HOME"]
        name = self.user.partition(":")[0]
        if not name:
            return "/root"
        own = {"node": "/home/node"} if self.scope.image and "node" in self.scope.image else {}
        return self.flow.homes.get(name, own.get(name))

    def home(self, invocation: Invocation) -> None:
        values = invocation.values
        options = [value for value in values if value]
        if invocation.program in ("useradd", "adduser"):
            names = invocation.operands(table("users")["create"][invocation.program]["value-options"])
            for word in names[:1]:
                if word.value:
                    self.flow.homes[word.value] = f"/home/{word.value}"
                    for index, value in enumerate(options[:-1]):
                        if value in ("-d", "--home", "--home-dir") or (
                            value == "-h" and invocation.program == "adduser"
                        ):
                            self.flow.homes[word.value] = options[index + 1]
        for index, value in enumerate(options):
            if value in ("-d", "--home", "--home-dir", "-h") and index + 1 < len(options):
                self.flow.paths.append(WrittenPath(options[index + 1], self.step, "directory", role="home"))

    def package(self, invocation: Invocation, facts: dict[str, object]) -> None:
        family = str(facts["family"])
        name, index = subcommand(invocation, facts)
        if name is None:
            raise Refusal(f"the subcommand of {invocation.program} in line {self.line} is not fixed", WRITE_OUT)
        commands = facts["commands"]
        assert isinstance(commands, dict)
        does = commands.get(name, {})
        if name == "build-dep":
            return
        if not does.get("installs") and not does.get("removes"):
            return
        lean = (
            any(v in ("--no-install-recommends", "--without-recommends") for v in invocation.values) or family == "apk"
        )
        skip = ""
        group: list[str] = []
        for word in invocation.words[index + 1 :]:
            value = self.text(word)
            if value is None:
                if re.search(r"linux-headers-|build-dep", "".join(getattr(p, "value", "") or "" for p in word.parts)):
                    continue
                raise Refusal(f"a package's name in line {self.line} is not fixed", WRITE_OUT)
            option, skip = skip, ""
            if value.startswith("-"):
                taking = facts.get("value-options", ())
                assert isinstance(taking, list | tuple)
                skip = value if value in taking else ""
                if value in ("-t", "--virtual"):
                    skip = value
            elif option in ("-t", "--virtual") and family == "apk":
                group.append(value)
            elif not option:
                for part in value.split():
                    if does.get("removes"):
                        self.flow.removed.add(part)
                    elif part.startswith(("./", "/")) or part.endswith((".deb", ".apk")):
                        raise Refusal(f"line {self.line} installs a package file, whose content is not known")
                    else:
                        # `gcc=12.2` and `libc6:i386` keep their version and architecture; "gcc-" removes
                        self.flow.packages.append(InstalledPackage(part, family, self.step, lean))
                        if group:
                            self.flow.groups.setdefault(group[0], []).append(part)
        if does.get("removes"):
            for name_ in list(self.flow.removed):
                self.flow.removed.update(self.flow.groups.get(name_, ()))
            gone = [p for p in self.flow.packages if p.name in self.flow.removed]
            self.flow.buried += [p for p in gone if p.step is not self.step]
            self.flow.packages = [p for p in self.flow.packages if p not in gone]
            if self.automatic and (name == "autoremove" or invocation.has_option("--auto-remove", "--autoremove")):
                self.flow.swept.add(self.step.index)
            self.flow.removed.clear()


_UNKNOWN = Unknown()
# Asked so, a program only says what it is
_TELLS = ("--version", "-version", "-V", "version", "--help", "-h")


def _unversioned(name: str) -> str:
    """A compiler's name without its version: g++-14, clang-19."""
    match = re.fullmatch(r"(gcc|g\+\+|clang|clang\+\+|gfortran)-\d+", name)
    return match[1] if match else name
