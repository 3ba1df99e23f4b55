"""Reads every command of a stage for what it needs of the image that is to come."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.remote_scripts import SHELLS
from dfopt.analysis.startup import started
from dfopt.ir.commands import Invocation
from dfopt.ir.image_config import image_config
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.swap_base.built import ask_build
from dfopt.passes.swap_base.commands import SLIMMED, CommandNeeds
from dfopt.passes.swap_base.files import ELF, copied, is_static, programs_in
from dfopt.passes.swap_base.target import ALPINE, SLIM
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.ir.stages import Stage, Step

_ENGLISH = regex(r"(?:C|POSIX|en)(?:[_.@].*)?\Z|\Z")
_PLAIN = regex(r"(?:C|POSIX)(?:\.utf-?8)?\Z", re.I)
_ZONES = regex(r"/usr/share/zoneinfo|/etc/localtime|\bTZ=")
_PLACES = regex(
    r"/etc/apt|/var/(?:lib|cache)/(?:apt|dnf|yum)|/var/lib/dpkg|/etc/yum|/etc/dnf|/etc/pki|sources\.list|/usr/lib/x86_64-linux-gnu|ld\.so\.conf"
)


class StageSurvey(CommandNeeds):
    """Reads the instructions of a stage, and of those built on it."""

    def read(self) -> None:
        """Raises Refusal."""
        for other in self.program.stages[self.stage.index + 1 :]:
            if "$" in other.base and other.parent is None:
                raise Refusal(f"line {other.node.line}: which stage {other.base} is depends on a build argument")
        if self.target.doubt:
            self.doubt(self.target.doubt)
        self._stage(self.stage)

    def _stage(self, stage: Stage) -> None:
        have, done = set(self.have), list(self.done)
        for step in stage.steps:
            self._step(step)
            self.done.append(step)
        if stage.index in self.program.shipped():
            self._start(stage)
        for child in self.program.children(stage):
            self._stage(child)
        self.have, self.done = have, done

    # --- instructions -------------------------------------------------------------------------------------------------
    def _step(self, step: Step) -> None:
        node, line = step.node, step.node.line
        if node.keyword == "ONBUILD":
            raise Refusal(f"line {line}: an ONBUILD trigger runs in builds of other files")
        if node.keyword == "RUN":
            self._run(step)
        elif node.keyword in ("COPY", "ADD"):
            self._copy(step)
        elif node.keyword == "SHELL" and self.target.kind != SLIM:
            self._shell(step)
        elif node.keyword == "USER":
            user = self.program.scope(step).expand(node.arguments[0].value, self.program.dockerfile.escape)
            self._account(user, line)
        elif node.keyword == "ENV":
            self._env(step)
        elif node.keyword == "HEALTHCHECK" and node.kind.upper() == "CMD":
            self._healthcheck(step)

    def _shell(self, step: Step) -> None:
        words = [argument.value for argument in step.node.arguments]
        if not words or posixpath.basename(words[0]) not in ("sh", "ash"):
            raise Refusal(f"line {step.node.line}: the shell {words[0] if words else ''} is not in {self.target.image}")

    def _account(self, user: str | Unknown, line: int) -> None:
        if isinstance(user, Unknown):
            raise Refusal(f"line {line}: a variable names the user")
        for name in user.split(":"):
            if name and not name.isdigit() and name not in self.target.accounts | self.translation.accounts:
                if self.target.kind == SLIM and self.target.source in ("debian", "ubuntu", "rhel"):
                    continue  # the accounts are the same
                raise Refusal(f"line {line}: {self.target.image} has no user or group {name}")

    def _env(self, step: Step) -> None:
        for pair in step.node.pairs:
            value = pair.value or ""
            if pair.name in ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES"):
                if self.target.microdnf and not _PLAIN.match(value):
                    raise Refusal(f"line {step.node.line}: the locale {value} is not in {self.target.image}")
                if self.target.kind == SLIM and not _ENGLISH.match(value):
                    raise Refusal(f"line {step.node.line}: slim images have no translations for {pair.name}={value}")
                if self.target.kind != SLIM and not _PLAIN.match(value):
                    raise Refusal(f"line {step.node.line}: the locale {value} is not in {self.target.image}")
            elif pair.name == "TZ" and self.target.kind != SLIM and value not in ("", "UTC"):
                self.need("tzdata", step.node.line)
            elif pair.name.startswith("LD_") and self.target.kind != SLIM:
                raise Refusal(f"line {step.node.line}: {pair.name} is for another C library")

    def _copy(self, step: Step) -> None:
        node, line = step.node, step.node.line
        owner = node.flag("chown")
        if owner is not None and owner.value:
            self._account(self.program.scope(step).expand(owner.value, self.program.dockerfile.escape), line)
        if node.flag("from") is not None:
            if self.target.kind != SLIM or self.target.lacks:
                ask_build(self, step, "which libraries the files of another stage or image need is not known")
            return
        if self.target.kind == SLIM:
            for name, content in programs_in(copied(self.program, [step], self.facts) or (), self.facts):
                if self.target.lacks and content[:4] == ELF and not is_static(content):
                    ask_build(self, step, f"which libraries {name} needs is not known")
            return
        if node.keyword == "ADD" and any(
            a.value.endswith((".gz", ".xz", ".tar", ".tgz", ".bz2")) for a in node.arguments
        ):
            self.doubt(f"line {line}: what is in the archive is not known")
        if any("://" in argument.value for argument in node.arguments):
            self.doubt(f"line {line}: what is downloaded may be a program for another C library")
        files = copied(self.program, [step], self.facts)
        if files is None:
            if not step.heredocs:
                self.doubt(f"line {line}: what the build context holds is not known")
            return
        for name, content in programs_in(files, self.facts):
            if content[:4] == ELF and not is_static(content):
                raise Refusal(f"line {line}: {name} is a program for another C library")
            if content[:2] == b"#!" and re.match(rb"#!.*\bbash\b", content) and "bash" not in self.have:
                if self.target.kind != ALPINE:
                    raise Refusal(f"line {line}: {name} is a script for bash, which is not in {self.target.image}")
                self.need("bash", line)

    def _healthcheck(self, step: Step) -> None:
        body = self.program.body(step)
        if body.program is None:
            words = [argument.value for argument in step.node.arguments]
            if step.node.form != "json" or not words:
                self.doubt(f"line {step.node.line}: the health check is not understood")
                return
            self.called(posixpath.basename(words[0]), words[0], tuple(words[1:]), step.node.line, None)
        for invocation in self.program.commands(step).invocations:
            if invocation.node.words:
                self.invocation(invocation, step.node.line, frozenset())

    def _start(self, stage: Stage) -> None:
        begun = started(self.program, stage, self.facts)
        line = next(
            (s.node.line for s in reversed(stage.steps) if s.node.keyword in ("CMD", "ENTRYPOINT")), stage.node.line
        )
        if not begun.said:
            if self.program.children(stage):
                return  # each of them says it, or is refused
            if self.target.lacks or self.target.kind != SLIM:
                raise Refusal(f"line {line}: the file does not say what the image starts")
            return
        if begun.why and "base image" not in begun.why:
            self.doubt(f"line {line}: {begun.why}")
        config = image_config(self.program, stage)
        words = [w for argv in (config.entrypoint, config.cmd) if isinstance(argv, tuple) for w in argv]
        self._starters(config.entrypoint or config.cmd, line)
        for run in begun.runs:
            if not run.names:
                self.doubt(f"line {line}: the image starts a program that a variable names")
            elif run.one is not None and run.one.program is None:
                for wrapper in run.names:  # `exec "$@"`: what stands behind it is a run of its own
                    self.called(wrapper, wrapper, (), line, None)
            elif run.one is not None:
                self.invocation(run.one, line, frozenset())
            else:
                path = next((word for word in words if posixpath.basename(word) == run.names[-1]), run.names[-1])
                self.called(run.names[-1], path, run.words, line, None)
        if self.target.own and (self.target.lacks or self.target.kind != SLIM):
            try:
                self.languages.scan(copied(self.program, self.done, self.facts), line)
            except Refusal as refusal:
                self.doubt(refusal.reason)

    def _starters(self, argv: tuple[str, ...] | Unknown | None, line: int) -> None:
        """Inits and shells in front of what is started: they are no commands of their own there."""
        for word in argv if isinstance(argv, tuple) else ():
            name = posixpath.basename(word)
            if name in SHELLS or name in table("entrypoints")["init"]["names"]:
                self.called(name, word, (), line, None)
            elif not word.startswith("-"):
                return

    # --- commands -----------------------------------------------------------------------------------------------------
    def _run(self, step: Step) -> None:
        body, line = self.program.body(step), step.node.line
        if body.form == "exec":
            words = [argument.value for argument in step.node.arguments]
            if not words or self._managed(posixpath.basename(words[0])):
                raise Refusal(f"line {line}: a package manager in exec form")
            self.called(posixpath.basename(words[0]), words[0], tuple(words[1:]), line, None)
            return
        if body.program is None:
            raise Refusal(f"line {line}: {body.why or 'the command is not understood'}")
        if self.target.kind != SLIM:
            if step.node.flags:
                why = f"line {line}: what --{step.node.flags[0].name} does in the new image is not known"
                if any(_PLACES.search(flag.value or "") for flag in step.node.flags):
                    raise Refusal(why)
                self.doubt(why)
            if body.program.bashisms:
                raise Refusal(f"line {line}: {body.program.bashisms[0][1]} is bash's")
            place = _PLACES.search(body.text)
            rest = re.sub(r"/var/lib/apt/lists|/var/cache/(?:apt|yum|dnf)", "", body.text)
            if place and _PLACES.search(rest):
                raise Refusal(f"line {line}: {place[0]} means something in the old image alone")
            if _ZONES.search(body.text):
                self.need("tzdata", line)
        elif SLIMMED.search(body.text):
            raise Refusal(f"line {line}: slim images have no manuals, documents and translations")
        found = self.program.commands(step)
        for invocation in found.invocations:
            if invocation.node.words:
                self.line(step, invocation, found.functions)
        self.translation.finish(step, body)

    def line(self, step: Step, invocation: Invocation, functions: frozenset[str]) -> None:
        """A command of a RUN: like any other, and where it speaks to the package manager, translated."""
        line = step.node.line
        if self.target.kind != SLIM or self.target.microdnf:
            why = self.translation.take(step, invocation)
            if why:
                raise Refusal(f"line {line}: {why}")
            if self.translation.taken(step, invocation):
                self.have |= self.translation.programs
                return
        self.invocation(invocation, line, functions)


def packages_of(needs: Iterable[str]) -> str:
    return " ".join(sorted(needs))
