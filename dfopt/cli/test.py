"""`dfopt test [DIR...]`: golden cases of passes and recipes."""

from __future__ import annotations

import os
from pathlib import Path

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count
from dfopt.testing import recipes
from dfopt.testing.cases import Problem, check, library_for
from dfopt.workspace.config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command: 1 where a case fails, 2 where one cannot be run. Raises UsageError where there are none."""
    status = number = failed = 0
    for directory in values.directories or ("golden",):
        if not os.path.isdir(directory):
            raise UsageError(f"{out.printable(directory)}: no such directory")
        root = Path(directory)
        paths = recipes.find(root)
        if not paths:
            raise UsageError(f"{out.printable(directory)}: no cases (PASS/CASE/Dockerfile) in it")
        try:
            library = library_for(root)
        except ConfigError as failure:
            raise UsageError(str(failure)) from None
        for path in paths:
            number += 1
            name = out.printable(path.as_posix())
            try:
                checked = check(path, root, library)
            except Problem as failure:
                out.error(f"{name}: {failure}")
                status = 2
                continue
            problems = [f"{name}: {law}" for law in checked.laws]
            if values.update and not problems:
                out.data("".join(f"{name}/{file}: written\n" for file in checked.update()))
            else:
                problems += checked.differences
            if problems:
                failed += 1
                status = max(status, 1)
                out.data("".join(f"FAILED {problem}\n" for problem in problems))
    out.note(f"dfopt: {count(number, 'case')}, {failed} failed\n")
    return status
