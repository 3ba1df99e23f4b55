from __future__ import annotations

from dfopt.ir.context_sources import sources_of
from dfopt.ir.moving import MoveCopy
from dfopt.ir.rewrite import InsertStep
from dfopt.ir.scopes import join_path
from dfopt.passes._dependencies import INSTALLS, Reads, Sources, collision, independent, system_directory
from dfopt.passes._dependency_edits import by_directory, edits_of, manifest_copy
from dfopt.passes._layout import newline_at
from dfopt.passes.base import Declares, Finding, Fix, Pass
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program, Step
    from dfopt.passes._dependencies import Independent
    from dfopt.passes.base import Facts

_PASSED = frozenset(("ENV", "ARG", "LABEL", "EXPOSE", "STOPSIGNAL", "USER", "WORKDIR"))


class _Copy(Record):
    """A copy of a whole directory of the context."""

    step: Step
    sources: Sources
    words: tuple[str, ...]


class DependencyLayers(Pass):
    """Installs dependencies before the sources are copied, from their manifests and lock files alone.

    Where a whole directory of the build context is copied and the steps behind it install packages, this pass copies
    the files that those installs read, and moves the copy of the directory behind them.

    Why: a layer is built anew when anything before it changed. With the sources copied first, every change of a source
    file installs all dependencies again. Measured, after a change of one file: `npm ci` of express, lodash and axios
    6.1 s before, 0.6 s after; `pip install` of flask, requests and pandas 22.8 s before, 0.5 s after.

    Example:

    ```dockerfile
    FROM debian:13
    WORKDIR /app
    COPY . .
    RUN apt-get update && apt-get install -y python3
    CMD ["python3", "app.py"]
    ```

    ```dockerfile
    FROM debian:13
    WORKDIR /app
    RUN apt-get update && apt-get install -y python3
    COPY . .
    CMD ["python3", "app.py"]
    ```

    Refuses: unless the build context proves that the install reads nothing else. What speaks against it: a context that
    is not known; local paths (`file:`, `link:`, `path =`, `-e .`, `replace`), workspaces, scripts of the project
    itself, an install of the project itself, plugins, settings that may lead to other files; variables that configure
    the installer; files of the context where the install writes (node_modules that .dockerignore does not leave out);
    a RUN that does anything else that is not known; a destination that programs of the image read (/, /usr/lib).
    Compilers that need sources to know their dependencies (cargo build, gradle) are left alone. The fix is `unsafe`
    where just one thing is open: install scripts of packages, or a lock file that the install may write anew.

    Declares: COPY of the manifests before the copy of the directory, which moves behind the installs.
    """

    name = "dependency-layers"
    group = "cache"
    triggers = ("copy", "add")
    order = 12
    declares = Declares()

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for position, step in enumerate(stage.steps, 1):
                if step.node.keyword not in ("COPY", "ADD") or not _install_follows(program, stage.steps, position):
                    continue
                copy = _copy_of(program, step, facts)
                if copy is None:
                    continue
                try:
                    found = self.behind(program, copy, stage.steps[position:])
                except Reads as reason:
                    node = copy.step.node
                    yield Finding(
                        self.name, "the install could stand before the copy of the sources", node.start, node.end,
                        reason=str(reason),
                    )  # fmt: skip
                    continue
                if found is not None:
                    yield found

    def behind(self, program: Program, copy: _Copy, steps: tuple[Step, ...]) -> Finding | None:
        """The finding about a copy and the steps behind it. Raises Reads."""
        passed: list[tuple[Step, Independent | None]] = []  # None: an instruction that touches no file
        size = 0  # of them up to the last install
        for step in steps:
            if step.node.keyword in _PASSED:
                passed.append((step, None))
                continue
            if step.node.keyword != "RUN" or (not size and not _may_install(program, step)):
                break
            try:
                if not copy.sources.destination:
                    raise Reads("the directory that is copied to is not known (no WORKDIR names it)")
                found = independent(program, step, copy.sources)
            except Reads:
                if size:
                    break
                raise
            if found is None:
                break
            passed.append((step, found))
            if found.what:
                size = len(passed)
        return self.finding(program, copy, passed[:size]) if size else None

    def finding(self, program: Program, copy: _Copy, passed: list[tuple[Step, Independent | None]]) -> Finding:
        node = copy.step.node
        sources = copy.sources
        installs = [one for _, one in passed if one is not None]
        files = list(dict.fromkeys([path for one in installs for path in one.files]))
        writes = [path for one in installs for path in one.writes]
        doubts = list(dict.fromkeys([doubt for one in installs for doubt in one.doubts]))
        obstacle = _obstacle(copy, files, writes, [step for step, one in passed if one is None])
        if obstacle:
            raise Reads(obstacle)
        last = passed[-1][0]
        rewrites: list[MoveCopy | InsertStep] = [
            MoveCopy(copy.step.index, last.index + 1, tuple([step.index for step, one in passed if one is not None]))
        ]
        lines = ""
        for group in by_directory(files):
            words, line = manifest_copy(program, node, sources, group)
            flags = tuple([(flag.name, flag.value) for flag in node.flags])
            rewrites.append(InsertStep(copy.step.index, "COPY", flags, ("list", "", words)))
            lines += line + newline_at(program.text, node.start)
        edits = edits_of(program, node, last.node, lines)
        what = ", ".join(dict.fromkeys([one.what for one in installs if one.what]))
        message = f"a change of the sources keeps the layer of {what}"
        if doubts:
            message += f" (open: {doubts[0]})"
        base = sources.destination.rstrip("/")
        declared = tuple([f"{base}/{path}**" if path.endswith("/") else f"{base}/{path}" for path in writes])
        fix = Fix(edits, tuple(rewrites), "unsafe" if doubts else "safe", Declares(declared) if doubts else None)
        return Finding(self.name, message, node.start, node.end, fix)


def _install_follows(program: Program, steps: tuple[Step, ...], position: int) -> bool:
    """Whether the first instruction from a position on that may touch files installs something."""
    step = next((one for one in steps[position:] if one.node.keyword not in _PASSED), None)
    return step is not None and step.node.keyword == "RUN" and _may_install(program, step)


def _may_install(program: Program, step: Step) -> bool:
    text = program.text[step.node.start : step.node.end]
    return INSTALLS.search(text) is not None or any(
        word in text for word in ("apt-get ", "apt ", "apk ", "dnf ", "yum ", "corepack")
    )


def _copy_of(program: Program, step: Step, facts: Facts) -> _Copy | None:
    """What a step copies, where that is one directory of the context as a whole."""
    node = step.node
    if node.keyword not in ("COPY", "ADD") or len(node.arguments) != 2 or node.heredocs:
        return None
    if any(flag.name not in ("chown", "chmod", "link") for flag in node.flags):
        return None
    found = list(sources_of(program, step))
    if len(found) != 1 or found[0].path is None or found[0].wildcard:
        return None
    scope = program.scope(step)
    target = join_path(scope.workdir, scope.expand(node.arguments[1].value, program.dockerfile.escape))
    path = found[0].path
    sources = Sources(facts, path + "/" if path else "", target if isinstance(target, str) else "")
    if path:
        known = facts.context_paths()
        if known is None or path in known or not any(other.startswith(path + "/") for other in known):
            return None
    return _Copy(step, sources, tuple([argument.value for argument in node.arguments]))


def _obstacle(copy: _Copy, files: list[str], writes: list[str], metadata: list[Step]) -> str:
    node = copy.step.node
    sources = copy.sources
    if metadata and any(step.node.keyword in ("ENV", "ARG") for step in metadata) and "$" in node.body:
        return "a variable of the copy may change on the way"
    for step in metadata:
        if step.node.keyword == "WORKDIR":
            if not node.arguments[-1].value.startswith("/"):
                return "WORKDIR changes what the copy's destination means"
            if not files and node.flags:
                return "WORKDIR would make the directory that the copy makes with another owner or mode"
    found = system_directory(sources.destination, sources)
    if found:
        return found
    found = collision(sources, writes)
    if found:
        return f"{found} of the build context lies where the install writes (.dockerignore does not leave it out)"
    if any(set(path) & set(" \t\"'\\$*?[]") for path in [*files, sources.prefix]) or any(
        char in copy.words[1] for char in " \"'"
    ):
        return "the names cannot be written plainly"
    return ""
