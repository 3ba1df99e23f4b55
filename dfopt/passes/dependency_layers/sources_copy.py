"""A copy of a whole directory of the build context, and whether it may go behind installs."""

from __future__ import annotations

from dfopt.analysis.context_tree import directories
from dfopt.analysis.root_steps import root_step
from dfopt.ir.context_sources import sources_of
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.passes.dependency_layers.sources import Sources, check_collision, check_destination
from dfopt.passes.dependency_layers.steps import INSTALLS
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

PASSED = frozenset(("ENV", "ARG", "LABEL", "EXPOSE", "STOPSIGNAL", "USER", "WORKDIR"))
_COMPILES = regex(r"\b(?:go|cargo|mvn)\s")


class SourcesCopy(Record):
    """A copy of a whole directory of the context."""

    step: Step
    sources: Sources
    words: tuple[str, ...]


def steps_behind(steps: Sequence[Step]) -> list[tuple[Step | None, Step | None]]:
    """For each step, what comes behind it: the first that may touch files, and the first of those that is no copy."""
    behind: list[tuple[Step | None, Step | None]] = []
    touching: Step | None = None
    working: Step | None = None
    for step in reversed(steps):
        behind.append((touching, working))
        if step.node.keyword not in PASSED:
            touching = step
            working = working if step.node.keyword in ("COPY", "ADD") else step
    return behind[::-1]


def installs(program: Program, step: Step | None) -> bool:
    """Whether a step is a RUN that may install something."""
    return step is not None and step.node.keyword == "RUN" and may_install(program, step)


def compiles(program: Program, step: Step | None) -> bool:
    """Whether a step is a RUN of a tool that downloads what it compiles."""
    if step is None or step.node.keyword != "RUN":
        return False
    return program.once(("compiles", step.index), _compiles, program, step)


def _compiles(program: Program, step: Step) -> bool:
    return _COMPILES.search(program.text[step.node.start : step.node.end]) is not None


def may_install(program: Program, step: Step) -> bool:
    """Whether the text of a RUN names an installer."""
    text = program.text[step.node.start : step.node.end]
    return INSTALLS.search(text) is not None or any(
        word in text for word in ("apt-get ", "apt ", "apk ", "dnf ", "yum ", "corepack")
    )


def copy_of(program: Program, step: Step, facts: Facts) -> SourcesCopy | None:
    """What a step copies, where that is one directory of the context as a whole."""
    node = step.node
    if node.keyword not in ("COPY", "ADD") or len(node.arguments) != 2 or node.heredocs:
        return None
    if any(flag.name not in ("chown", "chmod", "link") for flag in node.flags):
        return None
    origins = list(sources_of(program, step))
    if len(origins) != 1 or origins[0].path is None or origins[0].wildcard:
        return None
    scope = program.scope(step)
    target = join_path(scope.workdir, scope.expand(node.arguments[1].value, program.dockerfile.escape))
    path = origins[0].path
    sources = Sources(facts, path + "/" if path else "", target if isinstance(target, str) else "")
    if path:
        context = facts.context_paths()
        if context is None or path in context or path not in directories(context):
            return None
    return SourcesCopy(step, sources, tuple([argument.value for argument in node.arguments]))


def check_move(copy: SourcesCopy, files: list[str], writes: list[str], metadata: list[Step]) -> None:
    """Raises Refusal where a copy may not go behind installs that read `files` and make `writes`, past `metadata`."""
    node = copy.step.node
    sources = copy.sources
    if metadata and any(step.node.keyword in ("ENV", "ARG") for step in metadata) and "$" in node.body:
        raise Refusal("a variable of the copy may change on the way")
    for step in metadata:
        if step.node.keyword == "WORKDIR" and not node.arguments[-1].value.startswith("/"):
            raise Refusal("WORKDIR changes what the copy's destination means", "copy to an absolute path")
    check_destination(sources.destination, sources)
    check_collision(sources, writes)
    if files and (
        any(set(path) & set(" \t\"'\\$*?[]") for path in [*files, sources.prefix])
        or any(char in copy.words[1] for char in " \"'")
    ):
        raise Refusal("the names cannot be written plainly")


def check_workdirs(program: Program, copy: SourcesCopy, passed: Iterable[Step]) -> None:
    """Raises Refusal where a WORKDIR among the instructions that a copy passes would make the directory that the copy
    made: it belongs to the user of the image (BuildKit, dockerfile2llb: dispatchWorkdir)."""
    for step in passed:
        if step.node.keyword != "WORKDIR":
            continue
        scope = program.scope(step)
        target = join_path(scope.workdir, scope.expand(step.node.body, program.dockerfile.escape))
        made = copy.sources.destination
        if isinstance(target, str) and not covers(target, made) and not covers(made, target):
            continue
        root = scope.root or (scope.user is None and root_step(program, program.stages[step.stage]) is not None)
        if copy.step.node.flags or not root:
            raise Refusal("WORKDIR would make the directory that the copy makes with another owner or mode")
