"""What a container of an image starts, as far as CMD, ENTRYPOINT and the scripts of the build context tell."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.base_entrypoints import base_entrypoint
from dfopt.analysis.build_facts import built_image, find_program, with_reason
from dfopt.analysis.context_documents import json_object, member
from dfopt.analysis.remote_scripts import SHELLS
from dfopt.ir.commands import Invocation, commands
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.ir.shell_body import Body, ShellKind
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.expand import Unknown
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.syntax.tree import Joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.syntax.shell.nodes import ShellProgram

# Where a program is looked for that is named without a directory, as far as images put their own there
_SEARCHED = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin")
UNCLEAR = "the last stage takes its command from another one: which of the two is the image is not clear"
_SHELL = regex(r"\b(?:ba|da|a)?sh\b")
_PASSED = regex(r"^[^\S\n]*exec\s(?:.*\s)?\"\$@\"\s*\Z", re.M)  # the last line of a script that runs what it is given
_SCRIPT = regex(r"\.(?:sh|bash|ash|ksh)\Z|entry-?point|(?:^|[/_-])(?:run|start|init|boot)(?:up)?\Z", re.I)


class Run(Record):
    """One command that is started: base names of the program and of what wraps it, the words after the program (None
    where not fixed), and its invocation where a shell text holds it. `names` is empty where a variable is the program.
    """

    names: tuple[str, ...]
    words: tuple[str | None, ...]
    one: Invocation | None = None


class Started(Record):
    """What is started.

    runs   the commands, in order
    text   all that is said: the words of the exec form, shell texts, scripts of the build context
    why    what is not known of it; "" where all is
    said   whether the file itself says what to start
    """

    runs: tuple[Run, ...]
    text: str
    why: str
    said: bool


def started(program: Program, stage: Stage, facts: Facts, *, package_scripts: bool = False) -> Started:
    """What a container of `stage`'s image starts. `package_scripts`: what npm and its kind start is listed too."""
    config = image_config(program, stage)
    if isinstance(config.entrypoint, Unknown) or isinstance(config.cmd, Unknown):
        return Started((), "", "what the image starts depends on a variable", True)
    said = bool(config.entrypoint) or bool(config.cmd)
    scope = program.end_scope(stage)
    argv = config.entrypoint or ()
    if not _in_shell_form(program, stage, "ENTRYPOINT"):
        argv += config.cmd or ()
    reader = _StartupReader(program, stage, facts, package_scripts)
    before = base_entrypoint(scope.image, facts) if said and not config.entrypoint else ()
    if before is None or (before and not reader.wrapped(before, argv)):
        reader.why = with_reason("what the base image's ENTRYPOINT does is not known", facts)
    reader.argv(argv)
    return Started(tuple(reader.runs), "\n".join([" ".join(argv), *reader.texts]), reader.why, said)


def command_elsewhere(program: Program, stage: Stage) -> bool:
    """Whether a stage takes its command from a stage of the file that it is built on: then it is a test or a variant of
    that one as often as it is the image that is meant."""
    at = stage
    while not any(step.node.keyword in ("CMD", "ENTRYPOINT") for step in at.steps):
        if at.parent is None:
            return False
        at = program.stages[at.parent]
    return at is not stage


def _last_form(stage: Stage, keyword: str) -> str | None:
    forms = [step.node.form for step in stage.steps if step.node.keyword == keyword]
    return forms[-1] if forms else None


def _in_shell_form(program: Program, stage: Stage, keyword: str) -> bool:
    at: Stage | None = stage
    while at is not None:
        form = program.once(("last form", at.index, keyword), _last_form, at, keyword)
        if form is not None:
            return form == "shell"
        at = program.stages[at.parent] if at.parent is not None else None
    return False


def _is_init(program: str) -> bool:
    """Whether a program replaces itself by the words after its options, as the same user."""
    name = posixpath.basename(program)
    return name in table("entrypoints")["init"]["names"] and name not in ("gosu", "su-exec")


def context_candidates(program: Program, stage: Stage, name: str) -> list[str]:
    """The files of the build context that `name` (a path, or a program as started) may be; the likeliest first. What a
    stage has by COPY --from from another one is looked for there."""
    scope = program.end_scope(stage)
    if "/" in name:
        path = join_path(scope.workdir, name)
        places = [path] if isinstance(path, str) else []
    else:
        search = scope.env.get("PATH")
        said = search.split(":") if isinstance(search, str) else []
        places = [posixpath.join(directory, name) for directory in (*said, *_SEARCHED) if directory]
    return list(dict.fromkeys(_context_sources(program, stage, posixpath.basename(name), tuple(places), set())))


def _context_sources(
    program: Program, stage: Stage, base: str, places: tuple[str, ...], seen: set[tuple[int, tuple[str, ...]]]
) -> Iterator[str]:
    """The files of the context that the stage has at one of `places`, or that are copied by the name `base`."""
    if (stage.index, places) in seen:
        return
    seen.add((stage.index, places))
    for step in reversed(layer_steps(program, stage)):
        node = step.node
        if node.keyword not in ("COPY", "ADD"):
            continue
        flag = node.flag("from")
        origin = program.stage_named(flag.value or "", step.stage) if flag is not None else None
        if flag is not None and origin is None:
            continue
        scope = program.scope(step)
        words = [scope.expand(argument.value, program.dockerfile.escape) for argument in node.arguments]
        target = join_path(scope.workdir, words[-1])
        for word in words[:-1]:
            if not isinstance(word, str):
                continue
            source = posixpath.normpath(word).lstrip("/")
            found: list[str] = []
            if posixpath.basename(source) == base or target in places:
                found.append(source)
            elif isinstance(target, str):
                below = [path for path in places if path.startswith(target.rstrip("/") + "/")]
                found += [posixpath.normpath(posixpath.join(source, posixpath.relpath(path, target))) for path in below]
            if origin is None:
                yield from found
            elif found:
                there = tuple(posixpath.join("/", path) for path in found)
                yield from _context_sources(program, program.stages[origin], base, there, seen)


class _StartupReader:
    def __init__(self, program: Program, stage: Stage, facts: Facts, reads_package_scripts: bool) -> None:
        self.program = program
        self.reads_package_scripts = reads_package_scripts
        self.stage = stage
        self.facts = facts
        self.runs: list[Run] = []
        self.texts: list[str] = []
        self.why = ""
        self.read: set[str] = set()

    def argv(self, words: tuple[str, ...]) -> None:
        """One argument vector, as execve gets it."""
        while words and _is_init(words[0]):
            words = words[1:]
            while words and words[0].startswith("-"):
                words = words[2:] if words[0] in ("-e", "-p", "-r") else words[1:]
                # tini's -e and -p take a value, and so does dumb-init's -r
        if not words:
            return
        name = posixpath.basename(words[0])
        if name in SHELLS:
            rest = list(words[1:])
            while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
                option = rest.pop(0)
                if not option.startswith("--") and "c" in option:
                    if rest:
                        self.shell(rest[0])
                    return
                if option in ("-o", "+o", "-O", "+O"):
                    del rest[:1]
            if rest:
                self.script(rest[0], sure=True)
                return
        self.runs.append(Run((name,), tuple(words[1:])))
        self.script(words[0], sure=False)
        self.package_script(name, words[1:])
        if words[1:]:
            behind = posixpath.basename(words[1])
            if _SCRIPT.search(posixpath.basename(words[0])) and not behind.startswith("-"):
                self.argv(words[1:])  # as a rule an entrypoint script ends by running the words after it

    def shell(self, text: str) -> None:
        """A text that a shell reads."""
        self.texts.append(text)
        try:
            tree = parse_shell(text)
        except ShellSyntaxError:
            self.why = self.why or "the shell text that the image starts is not understood"
            return
        listed = commands(_body(tree, text))
        for invocation in listed.invocations:
            if not invocation.node.words or invocation.program in listed.functions:
                continue
            if invocation.program is None:
                # `exec "$@"` is what follows the script in ENTRYPOINT or CMD
                raw = text[invocation.node.start : invocation.node.end]
                if "$@" not in raw and "$*" not in raw:
                    self.runs.append(Run((), (), invocation))
                elif invocation.wrappers:
                    self.runs.append(Run(invocation.wrappers, (), invocation))
                continue
            self.runs.append(Run((*invocation.wrappers, invocation.program), tuple(invocation.values), invocation))
            if invocation.nested or invocation.path is None:
                continue
            if invocation.program in (*SHELLS, "source", "."):
                operand = next((v for v in invocation.values if v is None or not v.startswith("-")), "")
                inline = any(v is not None and re.fullmatch(r"-\w*c", v) for v in invocation.values)
                if operand and not inline:
                    self.script(operand, sure=True)
                elif operand is None and not inline:
                    self.why = self.why or "it runs a script that a variable names"
            else:
                self.script(invocation.path, sure=False)
                self.package_script(invocation.program, invocation.values)

    def package_script(self, name: str, words: Sequence[str | None]) -> None:
        """What a Node package manager starts: the script of package.json that it names, or a package's program."""
        if not self.reads_package_scripts:
            return
        options = table("node_modules")["run"]
        if name in options["programs"]:
            command = [word for word in words if word is not None and not word.startswith("-")]
            if command:
                self.argv(tuple(command))
            return
        if name not in options["managers"]:
            return
        operands = [word for word in words if word is not None and not word.startswith("-")]
        if operands[:1] == ["run"] or operands[:1] == ["run-script"]:
            operands = operands[1:]
        elif operands[:1] and operands[0] in options["subcommands"]:
            return
        if not operands:
            return
        if operands[0] in ("exec", "x", "dlx"):
            self.argv(tuple(operands[1:]))
            return
        scripts = self.package_scripts()
        for script in (f"pre{operands[0]}", operands[0], f"post{operands[0]}"):
            text = scripts.get(script)
            if isinstance(text, str) and f"npm:{script}" not in self.read:
                self.read.add(f"npm:{script}")
                self.shell(text)

    def package_scripts(self) -> Mapping[str, object]:
        """`scripts` of the package.json in the image's working directory, as the build context has it."""
        path = join_path(self.program.end_scope(self.stage).workdir, "package.json")
        for source in context_candidates(self.program, self.stage, path) if isinstance(path, str) else ():
            content = self.facts.context_file(source)
            if content is not None:
                return member(json_object(content), "scripts")
        return {}

    def script(self, name: str, sure: bool) -> None:
        """A file that is started: its text where it is a shell script of the build context. `sure`: it is a script."""
        if name in self.read:
            return
        self.read.add(name)
        base = posixpath.basename(name)
        looks = sure or _SCRIPT.search(base) is not None
        for source in context_candidates(self.program, self.stage, name):
            content = self.facts.context_file(source)
            if content is None:
                continue
            first = content.split(b"\n", 1)[0]
            other = first.startswith(b"#!") and not re.search(rb"\b(?:ba|da|a)?sh\b", first)
            if content[:4] != b"\x7fELF" and not other and (looks or first.startswith(b"#!")):
                self.shell(content.decode("utf-8", "surrogateescape").replace("\r\n", "\n"))
            return
        if looks and not self.built_script(name):
            self.why = self.why or with_reason(f"what {base} does is not known", self.facts)

    def built_script(self, name: str) -> bool:
        """A file of the image, as a build showed it: whether it is known what it is, and its text where that is a shell
        script."""
        image = built_image(self.program, self.stage, self.facts)
        path = join_path(self.program.end_scope(self.stage).workdir, name) if "/" in name else name
        if image is None or not isinstance(path, str):
            return False
        artifact = image.artifact(path) if "/" in path else find_program(image, path)
        if artifact is None or (artifact.kind == "script" and _SHELL.search(artifact.interpreter) is None):
            return artifact is not None
        text = image.script(artifact.path)
        if text is not None:
            self.shell(text.replace("\r\n", "\n"))
        return text is not None or artifact.kind == "elf"

    def wrapped(self, before: tuple[str, ...], words: tuple[str, ...]) -> bool:
        """The base image's ENTRYPOINT, which gets `words`: whether it is known what it does. It is where it is an init,
        or a shell script that runs the words at its end."""
        while before and _is_init(before[0]):
            before = before[1:]
            while before and before[0].startswith("-"):
                before = before[1:]
        if not before:
            return True
        count = len(self.texts)
        passes_on = self.built_script(before[0]) and len(self.texts) > count and _PASSED.search(self.texts[count])
        self.runs.append(Run((posixpath.basename(before[0]),), (*before[1:], *words)))
        return bool(passes_on)


def _body(tree: ShellProgram, text: str) -> Body:
    return Body("line", text, tree, "", ShellKind("sh", frozenset()), Joined(text, (0,), (0,)), 0, None)
