"""`dfopt test [DIR...]`: golden cases of passes and recipes."""

from __future__ import annotations

import os
from pathlib import Path

from dfopt.cli import out
from dfopt.cli.cases import Cases, cases_of
from dfopt.cli.errors import UsageError
from dfopt.testing.cases import library_for
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command: 1 if a case fails, 2 if one cannot be run. Raises UsageError if there are none."""
    cases = Cases(values.update)
    for directory in values.directories or ("golden",):
        if not os.path.isdir(directory):
            raise UsageError(f"{out.printable(directory)}: no such directory")
        root = Path(directory)
        test_cases = cases_of(root)
        try:
            library = library_for(root)
        except ConfigError as failure:
            raise UsageError(str(failure)) from None
        for files in test_cases:
            cases.run(files, library)
    return cases.end()
