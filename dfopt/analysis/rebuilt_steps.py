"""Which RUNs a change of the build context makes anew: those behind the first instruction that reads what changed.

BuildKit keeps the result of an instruction by what it reads and by the results before it (docs.docker.com, "Build cache
invalidation"). What a stage copies from another is taken for changed where that stage was built anew.
"""

from __future__ import annotations

from collections import Counter

from dfopt.ir.context_sources import sources_of
from dfopt.knowledge import table
from dfopt.syntax.go_pattern import GoPatternError, match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.context_sources import ContextSource
    from dfopt.ir.program import Program


def rerun_installs(program: Program, facts: Facts, changes: Iterable[frozenset[str]]) -> Counter[str]:
    """Of each installer, by its program's name ("npm", "apt-get"): how many of the changes make a RUN anew that calls
    it. `changes`: the paths in the build context that changed together."""
    counted: Counter[str] = Counter()
    installers = _installers()
    stages = _built(program)
    called = {
        step.index: frozenset(
            name for invocation in program.commands(step).invocations
            if (name := (invocation.program or "").rstrip("0123456789.")) in installers
        )
        for index in stages for step in program.stages[index].steps if step.node.keyword == "RUN"
    }  # fmt: skip
    for change in changes:
        seen = frozenset(path for path in change if not facts.context_leaves_out(path))
        if seen:
            counted.update(_rerun(program, stages, called, seen))
    return counted


def _rerun(
    program: Program, stages: Sequence[int], called: dict[int, frozenset[str]], seen: frozenset[str]
) -> frozenset[str]:
    anew: set[int] = set()  # stages
    names: set[str] = set()
    for index in stages:
        stage = program.stages[index]
        changed = stage.parent in anew
        for step in stage.steps:
            changed = changed or any(_reads(source, seen) for source in sources_of(program, step) if not source.onbuild)
            changed = changed or not anew.isdisjoint(program.stages_read(step))
            if changed:
                names |= called.get(step.index, frozenset())
        if changed:
            anew.add(index)
    return frozenset(names)


def _reads(source: ContextSource, paths: frozenset[str]) -> bool:
    path = source.path
    if path is None or path == "":
        return True
    if not source.wildcard:
        return any(other == path or other.startswith(path + "/") for other in paths)
    depth = path.count("/") + 1
    try:
        return any(match(path, "/".join(other.split("/")[:depth])) for other in paths)
    except GoPatternError:
        return True


def _built(program: Program) -> list[int]:
    """The stages that the last one needs, in their order."""
    needed: set[int] = set()
    waiting = [program.final.index] if program.final is not None else []
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            stage = program.stages[index]
            waiting += program.copies_from(stage)
            waiting += [stage.parent] if stage.parent is not None else []
    return sorted(needed)


def _installers() -> frozenset[str]:
    savings = table("savings")
    return frozenset(name.split()[0] for rows in ("rebuild", "rebuild-estimates") for name in savings[rows])
