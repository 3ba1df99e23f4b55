"""Whether variables lead the programs of a RUN to what is copied: PATH, LD_LIBRARY_PATH, PYTHONPATH."""

from __future__ import annotations

import posixpath

from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.dependency_layers.sources import Sources


def check_search_paths(program: Program, run: Step, sources: Sources) -> None:
    """Raises Refusal where a RUN may find programs, libraries or modules in what is copied."""
    for name, directory in program.once(("search paths", run.index), _search_paths, program, run):
        inside = covers(sources.destination, directory) and directory != sources.destination
        if covers(directory, sources.destination) or (
            inside and sources.holds(posixpath.relpath(directory, sources.destination))
        ):
            raise Refusal(f"{name} leads the programs of the RUN to {directory}")


def _search_paths(program: Program, run: Step) -> list[tuple[str, str]]:
    return list(_entries(program, run))


def _entries(program: Program, run: Step) -> Iterator[tuple[str, str]]:
    """The variables of the file that lead programs to directories, with each directory. What the base image says leads
    to its own; what a variable of the base begins with does, too."""
    names = table("dependency_files")["system"]["search-paths"]
    for step in layer_steps(program, program.stages[run.stage]):
        if step.node.keyword != "ENV" or step.index > run.index:
            continue
        scope = program.scope(step)
        for pair in step.node.pairs:
            if pair.name not in names:
                continue
            for entry in (pair.value or "").strip("\"'").split(":"):
                path = scope.expand(entry, program.dockerfile.escape)
                path = join_path(program.scope(run).workdir, path) if isinstance(path, str) and path else path
                if isinstance(path, str) and path:
                    yield pair.name, path
