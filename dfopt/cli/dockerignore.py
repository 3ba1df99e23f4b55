"""`dfopt dockerignore`: excludes what no image needs from the build context; prints the diff, or writes it."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, listed
from dfopt.cli.stream import NO_FILES
from dfopt.files import read_regular, tree_of
from dfopt.record import Record
from dfopt.request import STDIN, Request
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.context import IGNORE_FILE, NO_PATTERNS, BuildContext, list_all
from dfopt.workspace.discovery import discover
from dfopt.workspace.facts import ContextFacts
from dfopt.workspace.paths import display_name
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.cli.options import Values
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.dockerignore_plan import DockerignorePlan, Sharing


class IgnoreFileGroup(Record):
    """A .dockerignore file, its context, and the Dockerfiles that are built with it."""

    target: str
    context: BuildContext
    files: tuple[Sharing, ...]


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    if STDIN in values.paths:
        raise UsageError("'-' (standard input) has no build context")
    if values.context is not None and not os.path.isdir(values.context):
        raise UsageError(f'--context: no such directory: "{out.printable(values.context)}"')
    request = Request(lookup_of(values), context=values.context)
    command = _DockerignoreRun(request, values)
    status = 0
    found = discover(values.paths or (".",), request.lookup, exclude=values.exclude, ignore_files=not values.no_ignore)
    files = listed(found, values.quiet)
    with StatusDisplay("looking through build contexts", quiet=values.quiet, after=1.0) as display:
        for group in display.over(command.groups(files)):
            status = max(status, command.group(group))
    return max(status, command.status)


class _DockerignoreRun:
    def __init__(self, request: Request, values: Values) -> None:
        self.request = request
        self.values = values
        self.color = style.use_color(values.color, os.environ, out.is_terminal())
        self.status = 0

    def groups(self, files: Iterable[InputFile]) -> list[IgnoreFileGroup]:
        """The .dockerignore files that apply to the Dockerfiles on the command line."""
        result: dict[str, IgnoreFileGroup] = {}
        any_file = False
        for file in files:
            any_file = True
            opened = self.open(file)
            if opened is None:
                continue
            sharing, context = opened
            if context is None:
                self.note(f"{out.printable(file.name)}: the build context is unknown; set it with --context\n")
                continue
            specific = file.path + IGNORE_FILE
            target = specific if context.ignore_path == specific else os.path.join(context.root, IGNORE_FILE)
            key = os.path.realpath(target)
            if key not in result:
                others = [] if target == specific else self.sharing(context)
                others = [other for other in others if other.name != sharing.name]
                result[key] = IgnoreFileGroup(target, context, (sharing, *others))
        if not any_file:
            self.note(NO_FILES)
        return list(result.values())

    def open(self, file: InputFile) -> tuple[Sharing, BuildContext | None] | None:
        """A Dockerfile and its context; None, with a note, if the file cannot be read."""
        from dfopt.ir.program import Program
        from dfopt.syntax.dockerfile import parse
        from dfopt.syntax.tree import DockerfileError
        from dfopt.workspace.dockerignore_plan import Sharing

        try:
            source = self.request.read(file)
            program = Program(parse(source.text))
            facts = ContextFacts(file.path, file.root, source, self.request.context_of(file))
        except (OSError, DockerfileError, ConfigError) as failure:
            self.status = 2
            reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
            out.error(f"{out.printable(file.name)}: {reason}")
            return None
        return Sharing(file.name, program), facts.build_context()

    def sharing(self, context: BuildContext) -> list[Sharing]:
        """The other Dockerfiles below a context that are built in it, or might be."""
        result: list[Sharing] = []
        for file in discover((context.root,), ConfigLookup(isolated=True), ignore_files=False):
            opened = self.open(file)
            if opened is None:
                continue
            sharing, other = opened
            if other is None or os.path.realpath(other.root) == os.path.realpath(context.root):
                result.append(sharing)
        return result

    def group(self, group: IgnoreFileGroup) -> int:
        """Plans, shows and writes one .dockerignore; returns the exit status."""
        from dfopt.workspace.dockerignore_plan import SAFE, UNSAFE, PlanError, extended, plan
        from dfopt.writing import replace_file

        name = display_name(group.target)
        try:
            content = _content(group.target)
            present = list_all(group.context.root)
            if present is None:
                raise PlanError("the build context is too large, or cannot be listed")
            unfiltered = BuildContext(group.context.root, "", NO_PATTERNS)
            if not os.path.basename(group.target).startswith("."):
                ignore_itself: frozenset[str] = frozenset()
            else:  # it will be in the context too
                ignore_itself = frozenset((IGNORE_FILE,))
            tiers = (SAFE, UNSAFE) if self.values.unsafe else (SAFE,)
            proposal = plan(present | ignore_itself, content or b"", group.files, unfiltered.read, tiers)
        except PlanError as failure:
            self.note(f"{out.printable(name)}: left alone: {out.printable(str(failure))}\n")
            return 0
        except OSError as failure:
            out.error(f"{out.printable(name)}: {failure.strerror or failure}")
            return 2
        self.explain(name, proposal)
        new_content = extended(content or b"", proposal.patterns)
        if new_content == (content or b"") or (
            content is None and {pattern for _, pattern in proposal.patterns} == ignore_itself
        ):
            return 0
        if not self.values.write:
            out.data(style.diff(_diff(name, content, new_content), self.color, out.is_terminal()))
            return 1
        try:
            replace_file(group.target, new_content, content, tree_of(group.target))
        except OSError as failure:
            out.error(f"{out.printable(name)}: not written: {failure.strerror or failure}")
            return 2
        self.note(f"wrote {out.printable(name)} ({len(proposal.patterns)} patterns)\n")
        return 0

    def explain(self, name: str, proposal: DockerignorePlan) -> None:
        from dfopt.workspace.dockerignore_plan import REFUSED, UNSAFE

        lines: list[str] = []
        for item in proposal.items:
            needs_unsafe = item.verdict == UNSAFE and not self.values.unsafe
            if self.values.explain or needs_unsafe:
                state = "stays" if item.verdict == REFUSED else "needs --unsafe" if needs_unsafe else "left out"
                lines.append(f"{out.printable(name)}: {out.printable(item.path)} ({item.kind}) {state}: {item.why}\n")
        self.note("".join(lines))

    def note(self, text: str) -> None:
        if not self.values.quiet:
            out.note(text)


def _content(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None


def _diff(name: str, before: bytes | None, after: bytes) -> str:
    """The unified diff; from /dev/null if the file does not exist yet."""
    from dfopt.edit import Change, unified_diff
    from dfopt.source import decode
    from dfopt.workspace.patches import patch_name

    old, new = decode(before or b""), decode(after)
    change = Change(len(old), len(old), new[len(old) :], frozenset((0,)))
    text = unified_diff(old, (change,), patch_name(name), ("dockerignore",))
    return text if before is not None else text.replace(f"--- a/{patch_name(name)}\n", "--- /dev/null\n", 1)
