"""Where the manifests of a project are: in a copy of sources, or copied by the instructions before it."""

from __future__ import annotations

import posixpath

from dfopt.ir.context_sources import sources_of
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.passes.dependency_layers.sources import Sources
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.sources_copy import SourcesCopy


class Project(Record):
    """A directory that holds a manifest.

    directory      its path in the image
    sources        the directory of the context that stands there, or above it
    earlier_files  files that the image has before the copy: path in the image -> path in the context; None: they come
                   with the copy
    """

    directory: str
    sources: Sources
    earlier_files: dict[str, str] | None


def projects(
    program: Program, copy: SourcesCopy, before: tuple[Step, ...], directory: str, manifest: str
) -> Iterator[Project]:
    """The ways to the project of a tool that runs in `directory` and looks for the manifest there and above."""
    earlier = earlier_files(program, copy.sources.facts, before)
    root = copy.sources.destination
    while True:
        path = posixpath.join(directory, manifest)
        if path in earlier:
            above = posixpath.dirname(earlier[path])
            yield Project(directory, Sources(copy.sources.facts, above + "/" if above else "", directory), earlier)
        inside = posixpath.normpath(posixpath.join(posixpath.relpath(directory, root or "/"), manifest))
        copied = bool(root) and covers(root, directory) and inside in copy.sources.paths
        if copied:
            yield Project(directory, copy.sources, None)
        if copied or path in earlier or directory == "/":
            return
        directory = posixpath.dirname(directory)


def earlier_files(program: Program, facts: Facts, before: Iterable[Step]) -> dict[str, str]:
    """Single files of the context that instructions copy by their names: path in the image -> path in the context."""
    context = facts.context_paths() or frozenset()
    earlier: dict[str, str] = {}
    for step in before:
        node = step.node
        if node.keyword not in ("COPY", "ADD") or node.heredocs or len(node.arguments) < 2:
            continue
        scope = program.scope(step)
        written = scope.expand(node.arguments[-1].value, program.dockerfile.escape)
        target = join_path(scope.workdir, written)
        if not isinstance(target, str) or not isinstance(written, str):
            continue
        into = written.endswith("/") or written in (".", "..") or len(node.arguments) > 2
        for source in sources_of(program, step):
            if source.path in context and source.path is not None and not source.wildcard:
                name = posixpath.basename(source.path)
                earlier[posixpath.join(target, name) if into else target] = source.path
    return earlier


def targets(program: Program, steps: tuple[Step, ...]) -> Iterator[str]:
    """The known destinations of copies."""
    for step in steps:
        if step.node.keyword in ("COPY", "ADD") and len(step.node.arguments) > 1:
            scope = program.scope(step)
            target = join_path(scope.workdir, scope.expand(step.node.arguments[-1].value, program.dockerfile.escape))
            if isinstance(target, str):
                yield target
