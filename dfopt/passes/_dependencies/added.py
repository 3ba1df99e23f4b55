"""A download that is added before the copy of the sources, where one RUN downloads and compiles."""

from __future__ import annotations

import posixpath
import re

from dfopt.edit import Edit
from dfopt.ir.bases import split_image
from dfopt.ir.effects import covers
from dfopt.ir.rewrite import InsertStep
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes._dependencies import cargo, go, maven
from dfopt.passes._dependencies.command import Command
from dfopt.passes._dependencies.copied import PASSED, Copied, obstacle_of
from dfopt.passes._dependencies.edits import by_directory, manifest_copy
from dfopt.passes._dependencies.sources import Reads
from dfopt.passes._layout import line_start, newline_at
from dfopt.passes.base import Declares, Fix
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program, Step

_PLAIN = re.compile(r"/[\w./-]*")


def added(program: Program, copy: Copied, before: tuple[Step, ...], behind: tuple[Step, ...]) -> tuple[str, Fix] | None:
    """What a download does that comes before a copy, and its fix, by the stage's steps before and behind the copy; None
    where the next RUN uses no tool that can. Raises Reads where it is not known to be the same."""
    passed: list[Step] = []
    for step in behind:
        if step.node.keyword in PASSED:
            passed.append(step)
            continue
        tool = _tool_of(program, step) if step.node.keyword == "RUN" else None
        if tool is None:
            return None
        facts = table("dependency_files")["added"][tool.name]
        if any(
            re.search(facts["present"], program.body(other).text) for other in before if other.node.keyword == "RUN"
        ):
            return None
        if any(flag.name == "mount" and "type=cache" in (flag.value or "") for flag in step.node.flags):
            return None  # the cache mount keeps what is downloaded
        return _download(program, copy, passed, step, tool)
    return None


class _Tool(Record):
    """The command of a RUN that downloads what it compiles, and where it runs."""

    name: str
    one: Invocation
    directory: str | None


def _tool_of(program: Program, step: Step) -> _Tool | None:
    """The first command of a RUN that downloads what it compiles: the tool, the command, and where it runs."""
    scope = program.scope(step)
    directory = scope.workdir if isinstance(scope.workdir, str) else None
    for one in program.commands(step).invocations:
        if one.program == "cd":
            operand = one.values[0] if len(one.values) == 1 else None
            target = join_path(directory, operand) if directory and operand and operand not in ("-", "~") else None
            directory = target if isinstance(target, str) else None
        facts = table("dependency_files")["added"].get(one.program or "")
        if facts is None or one.nested:
            continue
        operands = [value for value in one.values if value is not None and not value.startswith("-")]
        if any(value in facts["verbs"] for value in operands[: None if one.program == "mvn" else 1]):
            return _Tool(one.program or "", one, directory)
    return None


def _download(program: Program, copy: Copied, passed: list[Step], step: Step, tool: _Tool) -> tuple[str, Fix] | None:
    name, one, directory = tool.name, tool.one, tool.directory
    facts = table("dependency_files")["added"][name]
    scope = program.scope(copy.step)
    if directory is None or not copy.sources.destination or not isinstance(scope.workdir, str):
        raise Reads("the working directory is not known")
    if not covers(copy.sources.destination, directory):
        return None
    home = _manifest_directory(copy, directory, facts["manifest"])
    if home is None:
        return None
    verb = ["mod", "download"] if name == "go" else ["fetch"] if name == "cargo" else ["-B", "dependency:go-offline"]
    if name == "cargo" and any(value in ("--locked", "--frozen") for value in one.values):
        verb.append("--locked")
    command = Command(name, verb, copy.sources, home, scope)
    if name == "go":
        if command.holds("vendor/modules.txt") or re.search(r"^\s*require\b", command.text("go.mod"), re.M) is None:
            return None
        if "-C" in one.values or any(str(value).startswith("-mod") for value in one.values):
            raise Reads("an option of go says where modules come from")
    if name == "mvn":
        odd = next((str(value) for value in one.values if not _plain_option(value, facts)), None)
        if odd is not None:
            raise Reads(f"`mvn {odd}` may change what Maven reads")
    _check_surroundings(program, passed, step, name, facts)
    {"go": go.download, "cargo": cargo.fetch, "mvn": maven.fetch}[name](command)
    if name == "mvn" and "<dependenc" not in command.text("pom.xml"):
        return None
    if name == "cargo" and "source = " not in command.text("Cargo.lock"):
        return None
    obstacle = obstacle_of(copy, command.files, [], [])
    if obstacle or _PLAIN.fullmatch(home) is None:
        raise Reads(obstacle or "the names cannot be written plainly")
    text = " ".join([name, *verb])
    files = cargo.placeholders(command) if name == "cargo" else []
    if files:
        text = f"mkdir src && touch {' '.join(files)} && {text} && rm -r src"
    if home != scope.workdir:
        text = f"cd {home} && {text}"
    what = " ".join([name, *verb])
    message = (
        f"{what} before the sources: a change of them keeps its layer (open: it may fetch more than the build does)"
    )
    return message, _fix(program, copy, text, command.files, _places(scope.env, facts))


def _fix(program: Program, copy: Copied, text: str, files: list[str], paths: list[str]) -> Fix:
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
    return Fix((Edit(start, start, lines),), tuple(rewrites), "unsafe", Declares(tuple(paths)))


def _plain_option(value: str | None, facts: Any) -> bool:
    return value is not None and (
        not value.startswith("-") or value in facts["plain"] or value.startswith("-DskipTests")
    )


def _manifest_directory(copy: Copied, directory: str, manifest: str) -> str | None:
    """The directory at or above `directory` that holds the manifest, as a path of the image."""
    root = copy.sources.destination
    while covers(root, directory):
        inside = posixpath.relpath(directory, root)
        if posixpath.normpath(f"{inside}/{manifest}") in copy.sources.paths:
            return directory
        if directory == "/":
            break
        directory = posixpath.dirname(directory)
    return None


def _check_surroundings(program: Program, passed: list[Step], step: Step, name: str, facts: Any) -> None:
    """Raises Reads where the download would run with another tool, or as another user, than the build."""
    for flag in step.node.flags:
        if flag.name == "network" or (flag.name == "mount" and "type=" in (flag.value or "")):
            raise Reads(f"the RUN has --{flag.name}={flag.value}")
    for other in passed:
        if other.node.keyword == "USER":
            raise Reads("another user builds than the one before the copy")
        if other.node.keyword in ("ENV", "ARG") and re.search(facts["variables"], other.node.body):
            raise Reads(f"{other.node.keyword} changes the settings of {name} behind the copy")
    image = split_image(program.scope(step).image or "")[0].rpartition("/")[2]
    if image not in facts["images"]:
        raise Reads(f"whether {name} is there before the copy is not known ({image or 'the base'} is no image of it)")


def _places(env: dict[str, Any], facts: Any) -> list[str]:
    for variable, below in facts["homes"].items():
        if variable in env:
            value = env[variable]
            if not isinstance(value, str) or not value.startswith("/"):
                raise Reads(f"where {variable} leads is not known")
            return [value.rstrip("/") + one for one in below]
    return list(facts["paths"])
