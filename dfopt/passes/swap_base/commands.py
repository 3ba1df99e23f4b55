"""Reads commands, in a RUN, a start or a script, for what they need of the image that is to come."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.build_facts import with_reason
from dfopt.analysis.remote_scripts import SHELLS
from dfopt.analysis.startup import _body
from dfopt.ir.commands import Invocation, commands
from dfopt.ir.effects import manager, subcommand
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.swap_base.built import seen_program
from dfopt.passes.swap_base.files import ELF, context_path
from dfopt.passes.swap_base.languages import INTERPRETERS, Languages
from dfopt.passes.swap_base.needs import Needs
from dfopt.passes.swap_base.options import compressors, option_fault, wrapper_fault
from dfopt.passes.swap_base.target import ALPINE, BUSYBOX, RHEL, SLIM, ReplacementBase, programs_of, provider
from dfopt.passes.swap_base.words import Translation
from dfopt.refusal import Refusal
from dfopt.syntax.shell import ShellSyntaxError, parse_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

_SYSTEM = regex(r"/(?:usr/)?(?:local/)?s?bin/[^/]+\Z")
# what Debian's slim images have no files of (debuerreotype's .slimify-excludes), and who asks for them
SLIMMED = regex(
    r"/usr/share/(?:doc|man|info|locale|groff|lintian|linda)\b|(?:^|[;&|(\n]|\b(?:then|do|else|exec))[^\S\n]*(?:man|info)\s"
)
_DATA = regex(
    r"\.(?:json|txt|csv|tsv|xml|ya?ml|html?|css|js|md|asc|gpg|pem|crt|png|jpe?g|svg|ttf|woff2?)\Z|//(?:localhost|127\.)"
)
_COMPILERS = frozenset(
    ("gcc", "g++", "cc", "c++", "make", "cmake", "ninja", "ld", "autoreconf", "clang", "gmake", "cpp", "libtoolize")
)
_WEB = ("curl", "wget", "git")


class CommandNeeds(Needs):
    """What the commands of a stage need: `translation` holds the edits."""

    def __init__(
        self, program: Program, stage: Stage, target: ReplacementBase, facts: Facts, *, trial: bool = False
    ) -> None:
        super().__init__(program, stage, target, facts, trial=trial)
        self.places: dict[str, int] = {}  # directory that a package asks for -> the line that installs it
        builtins = table("base_programs")["builtins"]
        self.builtins = frozenset((builtins["sh"] + (builtins["bash"] if target.kind == SLIM else "")).split())
        self.translation = Translation(program, target)
        self.languages = Languages(self)

    def invocation(self, invocation: Invocation, line: int, functions: frozenset[str]) -> None:
        if invocation.program is None:
            self.doubt(f"line {line}: a variable names the program that runs")
            return
        for wrapper in invocation.wrappers:
            self.called(wrapper, wrapper, (), line, None)
        if invocation.wrappers and self.target.kind != SLIM:
            fault = wrapper_fault(invocation)
            if fault:
                raise Refusal(f"line {line}: busybox' {invocation.wrappers[0]} does not know {fault}")
        if invocation.program in functions:
            return
        self.called(
            invocation.program, invocation.path or invocation.program, tuple(invocation.values), line, invocation
        )

    def called(
        self, name: str, path: str, words: tuple[str | None, ...], line: int, invocation: Invocation | None
    ) -> None:
        """One program that is run, with its words. Raises Refusal, or notes what is needed."""
        target = self.target
        if target.kind == SLIM and not target.microdnf and self._managed(name):
            self._installed(name, words, invocation, line)
            return
        if self._managed(name):
            raise Refusal(f"line {line}: {name} in a place that is not rewritten")
        if name in (".", "source") and words and not re.search(r"/(?:activate|os-release)\Z", words[0] or ""):
            self.doubt(f"line {line}: what {words[0] or 'the script'} does is not known")
        if target.kind != SLIM:
            self._foreign(name, words, line)
        if target.kind == SLIM and not target.lacks:
            self._local(path, line, deep=False)
            return  # the same programs are there
        self._place(name, path, line)
        self._hidden(name, words, line, invocation)
        if name == "tar" and target.kind == SLIM:
            for program in compressors(words):
                self.called(program, program, (), line, None)
        if self._of_language(name, path, words, line):
            return
        if "/" in path and not _SYSTEM.match(path):
            self._local(path, line, deep=True)
            return
        if name in self.have:
            return
        if name in SHELLS and self._inline(name, words, line):
            return
        if name in self.builtins and name != "echo":
            return
        if name in target.programs:
            if target.kind in (ALPINE, BUSYBOX):
                fault = option_fault(name, words)
                if fault:
                    raise Refusal(f"line {line}: busybox' {name} does not know {fault}")
            return
        self._lacking(name, path, line)

    def _of_language(self, name: str, path: str, words: tuple[str | None, ...], line: int) -> bool:
        try:
            return self.languages.takes(name, path, words, line)
        except Refusal as refusal:
            self.doubt(refusal.reason)
            return True

    def _place(self, name: str, path: str, line: int) -> None:
        """A program that is named with its directory must lie there in the new image too."""
        if self.target.kind not in (ALPINE, BUSYBOX) or not re.fullmatch(r"/(?:usr/)?s?bin/[^/]+", path):
            return
        places = table("base_programs")["places"][self.target.family].get(name)
        if places is None and name in self.target.programs:
            self.doubt(f"line {line}: whether {self.target.image} has {path} is not known")
        if places is not None and path not in places:
            raise Refusal(f"line {line}: {self.target.image} has {name} at {places[0]}, not at {path}")

    def _hidden(self, name: str, words: tuple[str | None, ...], line: int, invocation: Invocation | None) -> None:
        """Commands that stand in no text that is read here."""
        if name == "eval" and None in words:
            self.doubt(f"line {line}: what eval runs is not known")
        if name in ("su", "runuser", "script", "ssh") and any("c" in (word or "c") for word in words):
            self.doubt(f"line {line}: what {name} runs is not read")
        reads = name in SHELLS or name in INTERPRETERS
        if (
            reads
            and invocation is not None
            and all(word == "-" or re.fullmatch(r"-[esux]+", word or "") for word in words)
        ):
            self.doubt(f"line {line}: what {name} reads from its input is not known")
        if name == "find":
            for index, word in enumerate(words[:-1]):
                if word in ("-exec", "-execdir", "-ok"):
                    program = words[index + 1]
                    if program is None:
                        self.doubt(f"line {line}: a variable names the program that find runs")
                        continue
                    self.called(posixpath.basename(program), program, words[index + 2 :], line, None)

    def _foreign(self, name: str, words: tuple[str | None, ...], line: int) -> None:
        """What means something on the old distribution alone: its accounts, and programs from elsewhere."""
        for word in words:
            for part in (word or "").split(":"):
                if part in ("www-data", "_apt", "irc", "proxy", "gnats") and part not in self.target.accounts:
                    raise Refusal(f"line {line}: {self.target.image} has no user or group {part}")
        if name in ("wget", "curl", "aria2c"):
            for word in words:
                if word is None or ("://" in word and not _DATA.search(word)):
                    self.doubt(f"line {line}: what {name} downloads may be a program for another C library")

    def _lacking(self, name: str, path: str, line: int) -> None:
        package = provider(name, rhel=self.target.microdnf) or (name if name in self.target.lacks else "")
        if self.target.kind == SLIM and package in self.target.lacks and name not in _COMPILERS:
            self.need(package, line)
            if name in _WEB and "ca-certificates" in self.target.lacks:
                self.need("ca-certificates", line)
            return
        if name in _COMPILERS:
            self.doubt(f"line {line}: {name} may need any library of the old image")
            package = name if name in self.target.lacks else package
            if package and self.target.kind in (SLIM, ALPINE):
                self.need(package, line)
            return
        if self.target.kind in (ALPINE, RHEL) and name in ("curl", "bash", "git"):
            self.need(package or name, line)
            return
        if context_path(self.program, self.done, f"/usr/local/bin/{name}", self.facts) is not None:
            self._local(f"/usr/local/bin/{name}", line, deep=True)
            return
        why = f"line {line}: {name} is not in {self.target.image}, or what it needs is not known"
        if name in self.target.gone or (package and self.target.kind == BUSYBOX):
            raise Refusal(why)  # nothing brings it
        self.doubt(why)
        if package and self.target.kind == ALPINE:
            self.need(package, line)

    def _inline(self, name: str, words: tuple[str | None, ...], line: int) -> bool:
        """`sh script` and `sh -c text` (whose commands are read on their own)."""
        if name not in self.target.programs and name not in self.have:
            return False
        for word in words:
            if word is None:
                self.doubt(f"line {line}: {name} runs a script that a variable names")
                return True
            if word.startswith("-"):
                if "c" in word and not word.startswith("--"):
                    return True
                continue
            self._local(word, line, deep=True)
            return True
        return True

    def _installed(self, name: str, words: tuple[str | None, ...], invocation: Invocation | None, line: int) -> None:
        """A package manager that stays the same: what its installs bring."""
        facts = manager(name) or {}
        does = facts["commands"].get(subcommand(invocation, facts)[0] or "", {}) if invocation is not None else {}
        if not does.get("installs"):
            return
        manuals = table("swaps")["needs-manuals"]
        for word in words:
            if word is None or word.startswith("-"):
                continue
            package = re.split("[=/:]", word)[0]
            self.have.update(programs_of(package))
            if any(re.fullmatch(each, package) for each in manuals["packages"]):
                raise Refusal(f"line {line}: {package} is of no use without manual pages")
            for each, places in manuals["directories"].items():
                if re.fullmatch(each, package):
                    self.places.update(dict.fromkeys(places, line))

    def _local(self, path: str, line: int, *, deep: bool) -> None:
        """A program of the file's own. `deep`: all that it runs must be understood; else it may not ask for manuals."""
        if "/" not in path and not deep:
            return
        workdir = self.program.scope(self.done[-1]).workdir if self.done else "/"
        full = posixpath.normpath(posixpath.join(workdir if isinstance(workdir, str) else "/", path))
        if _SYSTEM.match(full) and not full.startswith("/usr/local/") and not deep:
            return
        name = context_path(self.program, self.done, full, self.facts)
        content = self.facts.context_file(name) if name is not None else None
        if deep and (content is None or content[:4] == ELF):
            shown = seen_program(self, full, line)
            if shown is True:
                return
            content = content or shown or None
        if content is None:
            if deep:
                self.doubt(f"line {line}: {with_reason(f'what {path} does is not known', self.facts)}")
            return
        text = content.decode("utf-8", "surrogateescape")
        if not deep:
            if content[:2] == b"#!" and SLIMMED.search(text):
                raise Refusal(f"line {line}: {path} asks for manuals, documents or translations")
            return
        first = text.partition("\n")[0]
        named = [posixpath.basename(word) for word in first[2:].split()] if first.startswith("#!") else ["sh"]
        program = (named[1:] or [""])[0] if named[:1] == ["env"] else (named or ["sh"])[0]
        if content[:4] == ELF:
            self.doubt(f"line {line}: which libraries {path} needs is not known")
        elif program in SHELLS:
            self._script(path, text, line)
        elif (program not in self.have and program not in self.target.programs) or (
            program in self.target.own and first.startswith(("#!/usr/bin/" + program, "#!/bin/" + program))
        ):
            raise Refusal(f"line {line}: {path} is run by {program}, which is not in {self.target.image}")
        else:
            self._source(path, text, line)

    def _source(self, path: str, text: str, line: int) -> None:
        try:
            self.languages.source(path, text, line)
        except Refusal as refusal:
            self.doubt(refusal.reason)

    def _script(self, path: str, text: str, line: int) -> None:
        try:
            tree = parse_shell(text.replace("\r\n", "\n"))
        except ShellSyntaxError:
            self.doubt(f"line {line}: the script {path} is not understood")
            return
        found = commands(_body(tree, text))
        for invocation in found.invocations:
            passed_on = invocation.program is None and "$@" in text[invocation.node.start : invocation.node.end]
            if invocation.node.words and not passed_on:
                self.invocation(invocation, line, found.functions)

    def _managed(self, name: str | None) -> bool:
        facts = manager(name)
        return facts is not None and facts.get("family") in ("apt", "dnf", "apk", "zypper", "pacman")
