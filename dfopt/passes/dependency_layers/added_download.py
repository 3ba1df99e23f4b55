"""A download that is added before the copy of the sources, where one RUN downloads and compiles."""

from __future__ import annotations

import posixpath
import re

from dfopt.edit import Edit
from dfopt.editing.layout import line_start, newline_at
from dfopt.findings import Declares, Fix
from dfopt.ir.base_images import split_image
from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.dependency_layers import cargo, go, maven
from dfopt.passes.dependency_layers.command import Command
from dfopt.passes.dependency_layers.edits import by_directory, manifest_copy
from dfopt.passes.dependency_layers.manifests import projects, targets
from dfopt.passes.dependency_layers.sources_copy import PASSED, SourcesCopy, check_move
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import InsertStep
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.manifests import Project

_PLAIN = re.compile(r"/[\w./-]*")


def add_download(
    program: Program, copy: SourcesCopy, before: tuple[Step, ...], behind: tuple[Step, ...]
) -> tuple[str, Fix] | None:
    """What a download does that comes before a copy, and its fix, by the stage's steps before and behind the copy; None
    where the next RUN uses no tool that can. Raises Refusal where it is not known to be the same."""
    passed: list[Step] = []
    for step in behind:
        if step.node.keyword in PASSED or step.node.keyword in ("COPY", "ADD"):
            passed.append(step)
            continue
        tool = _tool_of(program, step) if step.node.keyword == "RUN" else None
        if tool is None:
            return None
        if has_download(program, before, tool.name):
            return None
        if any(mount.kind == "cache" for mount in mounts(step.node)):
            return None  # the cache mount keeps what is downloaded
        return _download(program, copy, before, passed, step, tool)
    return None


def has_download(program: Program, before: tuple[Step, ...], *names: str) -> bool:
    """Whether a RUN before the copy downloads with one of the tools (none named: with any)."""
    tools = table("dependency_files")["added"]
    patterns = [tools[name]["present"] for name in names or tools]
    bodies = [program.body(step).text for step in before if step.node.keyword == "RUN"]
    return any(re.search(pattern, body) for pattern in patterns for body in bodies)


class _Tool(Record):
    """The command of a RUN that downloads what it compiles, where it runs, and whether the RUN begins with the download
    itself."""

    name: str
    invocation: Invocation
    directory: str | None
    begins_with_download: bool


def _tool_of(program: Program, step: Step) -> _Tool | None:
    """The first command of a RUN that downloads what it compiles."""
    scope = program.scope(step)
    directory = scope.workdir if isinstance(scope.workdir, str) else None
    first = True  # nothing has run that could matter
    downloads_in = ""
    for invocation in program.commands(step).invocations:
        values = invocation.values
        if invocation.program == "cd":
            operand = values[0] if len(values) == 1 else None
            base = directory or (operand and operand.startswith("/") and "/") or None
            target = join_path(base, operand) if base and operand and operand not in ("-", "~") else None
            directory = target if isinstance(target, str) else None
            continue
        node = invocation.node
        bare = not (invocation.nested or invocation.wrappers or node.assignments or node.redirects)
        if first and bare and invocation.where == TOP and (invocation.program, *values) == ("go", "mod", "download"):
            downloads_in = directory or ""
        first = False
        facts = table("dependency_files")["added"].get(invocation.program or "")
        if facts is None or invocation.nested:
            continue
        operands = [value for value in values if value is not None and not value.startswith("-")]
        if any(value in facts["verbs"] for value in operands[: None if invocation.program == "mvn" else 1]):
            begins = bool(downloads_in) and downloads_in == directory
            return _Tool(invocation.program or "", invocation, directory, begins)
    return None


def _download(
    program: Program, copy: SourcesCopy, before: tuple[Step, ...], passed: list[Step], step: Step, tool: _Tool
) -> tuple[str, Fix] | None:
    facts = table("dependency_files")["added"][tool.name]
    if tool.directory is None:
        raise Refusal("the working directory is not known")
    scope = program.scope(copy.step)
    refusal: Refusal | None = None
    for project in projects(program, copy, before, tool.directory, facts["manifest"]):
        try:
            command = _command(tool, project, scope)
            if command is None:
                return None
            _check_surroundings(program, passed, step, tool.name, facts)
            if project.earlier_files is None:
                check_move(copy, command.files, [], [])
            if _PLAIN.fullmatch(project.directory) is None:
                raise Refusal("the names cannot be written plainly")
            text = _text(program, command, copy, before, project)
        except Refusal as error:
            refusal = error.copy()
            continue
        what = " ".join([tool.name, *command.values])
        message = f"{what} before the sources: a change of them keeps its layer"
        files = command.files if project.earlier_files is None else []
        if tool.begins_with_download and not command.doubts and all(step.node.keyword in PASSED for step in passed):
            return message, _fix(program, copy, text, files, None)
        message += " (open: it may fetch more than the build does)"
        return message, _fix(program, copy, text, files, Declares(tuple(_places(scope.env, facts))))
    if refusal is not None:
        raise refusal.copy()
    return None


def _command(tool: _Tool, project: Project, scope: Scope) -> Command | None:
    """The command that downloads, with what it reads; None where there is nothing to download. Raises Refusal."""
    name, words = tool.name, [str(value) for value in tool.invocation.values]
    verb = {"go": ["mod", "download"], "cargo": ["fetch"], "mvn": ["-B", "dependency:go-offline"]}[name]
    if name == "cargo" and ("--locked" in words or "--frozen" in words):
        verb = [*verb, "--locked"]
    command = Command(name, verb, project.sources, project.directory, scope)
    if name == "go":
        if (
            command.holds("vendor/modules.txt")
            or re.search(r"^[^\S\n]*require\b", command.text("go.mod"), re.M) is None
        ):
            return None
        if any(word == "-C" or word.startswith("-mod") for word in words):
            raise Refusal("an option of go says where modules come from")
        go.download(command)
    elif name == "mvn":
        if "<dependenc" not in command.text("pom.xml"):
            return None
        maven.fetch(command)
        command.values = [*command.values[:1], *maven.profiles(words), *command.values[1:]]
    else:
        if command.holds("Cargo.lock") and "source = " not in command.text("Cargo.lock"):
            return None
        cargo.fetch(command)
    for path in command.files if project.earlier_files is not None else ():
        name = posixpath.join(project.directory, posixpath.relpath(path, command.directory or "."))
        if (project.earlier_files or {}).get(name) != project.sources.prefix + path:
            raise Refusal(f"{path} is not copied before the sources")
    return command


def _text(program: Program, command: Command, copy: SourcesCopy, before: tuple[Step, ...], project: Project) -> str:
    """The shell text of the RUN, for the working directory at the copy."""
    text = " ".join([command.program, *command.values])
    files = cargo.placeholders(command) if command.program == "cargo" else []
    if files:
        source = posixpath.join(project.directory, "src")
        if project.earlier_files is not None and copy.sources.destination != source:
            raise Refusal("whether the files of the targets are there before the copy is not known")
        if any(covers(source, target) for target in targets(program, before)):
            raise Refusal(f"{source} is there before the copy")
        text = f"mkdir src && touch {' '.join(files)} && {text} && rm -r src"
    return text if project.directory == command.scope.workdir else f"cd {project.directory} && {text}"


def _fix(program: Program, copy: SourcesCopy, text: str, files: list[str], declares: Declares | None) -> Fix:
    """The manifests and the RUN that downloads, before the copy and its comments."""
    node = copy.step.node
    rewrites: list[InsertStep] = []
    lines = ""
    newline = newline_at(program.text, node.start)
    for group in by_directory(files):
        words, line = manifest_copy(program, node, copy.sources, group)
        flags = tuple([(flag.name, flag.value) for flag in node.flags])
        rewrites.append(InsertStep(copy.step.index, "COPY", flags, ("list", "", words)))
        lines += line + newline
    rewrites.append(InsertStep(copy.step.index, "RUN", (), ("shell", "", (text,))))
    lines += f"{'run' if program.text[node.start].islower() else 'RUN'} {text}{newline}"
    start = line_start(program.text, node.above[0].start if node.above else node.start)
    return Fix((Edit(start, start, lines),), tuple(rewrites), "unsafe" if declares else "safe", declares)


def _check_surroundings(program: Program, passed: list[Step], step: Step, name: str, facts: Any) -> None:
    """Raises Refusal where the download would run with another tool, or as another user, than the build."""
    for flag in step.node.flags:
        if flag.name in ("network", "mount"):
            raise Refusal(f"the RUN has --{flag.name}={flag.value}")
    for other in passed:
        if other.node.keyword == "USER":
            raise Refusal("another user builds than the one before the copy")
        if other.node.keyword in ("ENV", "ARG") and re.search(facts["variables"], other.node.body):
            raise Refusal(f"{other.node.keyword} changes the settings of {name} behind the copy")
    image = split_image(program.scope(step).image or "")[0].rpartition("/")[2]
    if image not in facts["images"]:
        raise Refusal(f"whether {name} is there before the copy is not known ({image or 'the base'} is no image of it)")


def _places(env: Mapping[str, Any], facts: Any) -> list[str]:
    for variable, below in facts["homes"].items():
        if variable in env:
            value = env[variable]
            if not isinstance(value, str) or not value.startswith("/"):
                raise Refusal(f"where {variable} leads is not known")
            return [value.rstrip("/") + path for path in below]
    return list(facts["paths"])
