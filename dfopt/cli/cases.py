"""What `test` and `recipe test` share: golden cases, run one after the other, reported and counted."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count
from dfopt.testing.case_files import CaseError
from dfopt.testing.cases import UnrunnableCase, check
from dfopt.testing.discovery import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from dfopt.recipes.load import RecipeLibrary
    from dfopt.testing.case_files import CaseFiles
    from dfopt.testing.cases import Checked


def cases_of(root: Path) -> list[CaseFiles]:
    """The cases below a directory. Raises UsageError where there are none, or they cannot be read."""
    try:
        cases = find(root)
    except CaseError as failure:
        raise UsageError(out.printable(str(failure))) from None
    if not cases:
        raise UsageError(f"{out.printable(str(root))}: no cases (NAME/CASE/Dockerfile, or sections of NAME.md) in it")
    return cases


class Cases:
    """The cases of a run. `update`: write expected files where no law is broken; `status`: the exit status, 1 if a case
    failed, 2 if one could not be run."""

    def __init__(self, update: bool) -> None:
        self.update = update
        self.status = 0
        self.number = 0
        self.failed = 0

    def run(self, files: CaseFiles, library: RecipeLibrary, *, passes: bool = True) -> None:
        """Runs a case. `passes`: whether it may be a pass's, not only a recipe's."""
        self.number += 1
        name = out.printable(files.name)
        try:
            self._run(name, check(files, library, passes=passes))
        except UnrunnableCase as failure:
            out.error(f"{name}: {out.printable(str(failure))}")
            self.status = 2

    def _run(self, name: str, checked: Checked) -> None:
        problems = [f"{name}: {law}" for law in checked.laws]
        if self.update and not problems:
            out.text("".join(f"{name}/{file}: written\n" for file in checked.update()))
        else:
            problems = [*checked.differences, *problems]
        if problems:
            self.failed += 1
            self.status = max(self.status, 1)
            out.text("".join(f"FAILED {problem}\n" for problem in problems))

    def end(self) -> int:
        """Reports the counts; returns the exit status."""
        out.note(f"dfopt: {count(self.number, 'case')}, {self.failed} failed\n")
        return self.status
