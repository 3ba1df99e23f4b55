"""`dfopt recipe test [DIR]`: tests the user's recipes on the user's golden cases."""

from __future__ import annotations

import os
from pathlib import Path

from dfopt.cli import out
from dfopt.cli.cases import Cases, cases_of
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.workspace.recipes import library_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.workspace.config import Config


def run(values: Values) -> int:
    """Runs the command: 1 if a case fails, 2 if one cannot be read. Raises UsageError if there are none."""
    config = lookup_of(values).directory(".")
    root = _directory(values.directory, config)
    test_cases = cases_of(root)
    library = library_of(config)
    cases = Cases(values.update)
    for files in test_cases:
        cases.run(files, library, passes=False)
    return cases.end()


def _directory(argument: str | None, config: Config) -> Path:
    """The directory of the cases: the given one, else `golden` in a directory of the user's recipes."""
    if argument is not None:
        if not os.path.isdir(argument):
            raise UsageError(f"{out.printable(argument)}: no such directory")
        return Path(argument)
    for directory in config.recipe_directories:
        if os.path.isdir(os.path.join(directory, "golden")):
            return Path(directory, "golden")
    raise UsageError("no directory of cases: name one, or put them in 'golden' in the directory of [recipes] path")
