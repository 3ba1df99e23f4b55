"""What `test` and `recipe test` share: golden cases run one after the other, told and counted."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.stream import count
from dfopt.testing.cases import Problem, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from dfopt.recipes.load import Library


class Cases:
    """The cases of a run. `update`: expected files are written where no law is broken; `status`: the exit code, 1 where
    a case failed, 2 where one could not be run."""

    def __init__(self, update: bool) -> None:
        self.update = update
        self.status = 0
        self.number = 0
        self.failed = 0

    def run(self, path: Path, root: Path, library: Library, name: str, *, passes: bool = True) -> None:
        """Runs the case in the directory `path` below `root`, which is told of as `name`. `passes`: whether a case may
        be a pass's, not only a recipe's."""
        self.number += 1
        name = out.printable(name)
        try:
            checked = check(path, root, library, passes=passes)
        except Problem as failure:
            out.error(f"{name}: {failure}")
            self.status = 2
            return
        problems = [f"{name}: {law}" for law in checked.laws]
        if self.update and not problems:
            out.data("".join(f"{name}/{file}: written\n" for file in checked.update()))
        else:
            problems = [*checked.differences, *problems]
        if problems:
            self.failed += 1
            self.status = max(self.status, 1)
            out.data("".join(f"FAILED {problem}\n" for problem in problems))

    def end(self) -> int:
        """Tells the counts; returns the exit code."""
        out.note(f"dfopt: {count(self.number, 'case')}, {self.failed} failed\n")
        return self.status
