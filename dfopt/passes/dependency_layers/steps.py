"""Whether a RUN installs dependencies and sees nothing of the sources but manifests."""

from __future__ import annotations

from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.passes.dependency_layers.command import Command
from dfopt.passes.dependency_layers.readers import reader_of, short, system_reader
from dfopt.passes.dependency_layers.search_paths import check_search_paths
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.sources import Sources

INSTALLS = regex(
    r"\b(?:npm\s+(?:ci|i|install)|yarn|pnpm\s+(?:i|install)|pip[\d.]*\s+install|poetry\s+install|uv\s+(?:sync|pip)"
    r"|go\s+mod\s+download|bundler?\s+install|bundle|composer\s+install|mvn\s[^&;|\n]{0,400}dependency:|dotnet\s+restore)"
    r"(?:\b|(?<=:))"
)
_HARMLESS = frozenset(("DEBIAN_FRONTEND", "CI", "NODE_ENV", "LANG", "LC_ALL", "TERM", "CGO_ENABLED", "GOPROXY"))


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


def independent(program: Program, step: Step, sources: Sources) -> Independent | None:
    """What a RUN sees of the sources (`what` is "" for one that installs nothing); None for one that does other things.
    Raises Refusal where it installs, but may see more."""
    body = program.body(step)
    installs = INSTALLS.search(body.text) is not None
    try:
        return _independent(program, step, sources, reader_of)
    except _OtherThing:
        if installs:
            raise
        return None


def installs_packages(program: Program, step: Step, sources: Sources) -> Independent:
    """The same of a RUN that calls nothing but package managers of the system, and what goes with them: it sees nothing
    of the sources. Raises Refusal."""
    return _independent(program, step, sources, system_reader)


class _OtherThing(Refusal):
    """The RUN does something that is no install."""


def _independent(
    program: Program, step: Step, sources: Sources, find_reader: Callable[[Command], Callable[[Command], None] | None]
) -> Independent:
    node = step.effective
    body = program.body(step)
    if body.program is None or body.form not in ("line", "script"):
        raise _OtherThing(body.why or "its shell text is not understood")
    for flag in node.flags:
        if flag.name != "mount":
            raise _OtherThing(f"the RUN has --{flag.name}={flag.value}")
    for mount in mounts(node):
        if mount.kind == "bind":
            raise _OtherThing(f"the RUN has --mount={mount.flag.value}")
        if mount.target and (not mount.target.startswith("/") or covers(sources.destination, mount.target)):
            raise _OtherThing("a mount lies over what is copied")
    scope = program.scope(step)
    directory = scope.workdir
    if isinstance(directory, Unknown):
        raise _OtherThing("the working directory is not known")
    files: list[str] = []
    doubts: list[str] = []
    writes: list[str] = []
    what = ""
    for invocation in program.commands(step).invocations:
        name, shell_node = invocation.program, invocation.node
        inner = invocation.where != TOP or invocation.nested or invocation.wrappers
        if inner or name is None or not shell_node.words:
            text = body.text[shell_node.start : shell_node.end][:40]
            raise _OtherThing(f"`{text}` runs on a condition, or inside another")
        _check_edges(invocation)
        if name == "cd":
            operand = invocation.values[0] if len(invocation.values) == 1 else None
            target = join_path(directory, operand) if operand and operand not in ("-", "~") else None
            if not isinstance(target, str):
                raise _OtherThing("where `cd` leads is not known")
            directory = target
            continue
        command = Command.of(invocation, sources, directory, scope)
        reader = find_reader(command)
        if reader is None:
            raise _OtherThing(f"`{name}` may read the sources")
        reader(command)
        files += [path for path in command.files if path not in files]
        doubts += [doubt for doubt in command.doubts if doubt not in doubts]
        writes += command.writes
        what = what or short(command)
    check_search_paths(program, step, sources)
    return Independent(tuple(files), tuple(doubts), tuple(writes), what)


def _check_edges(invocation: Invocation) -> None:
    for assignment in invocation.node.assignments:
        if assignment.name not in _HARMLESS:
            raise _OtherThing(f"{assignment.name} is set for `{invocation.program}`")
    for redirect in invocation.node.redirects:
        if redirect.op in (">&", "<&"):
            continue
        if redirect.target.value != "/dev/null":
            raise _OtherThing(f"`{invocation.program}` is redirected to a file")
