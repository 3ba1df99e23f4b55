"""Baselines: findings that a project has and does not want to hear of, as counts by file and pass.

    {"version": 1, "files": {"web/Dockerfile": {"merge-run": 2}}}

Paths are relative to the file's own directory, with "/". A pass that finds no more in a file than its count is silent
there; one that finds more is heard with all of it, since counts do not say which finding is the new one.
"""

from __future__ import annotations

import os

from dfopt.files import read_regular
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1


class BaselineError(Exception):
    """The file is not a baseline; the message names its place."""


class Baseline(Record):
    """The counts of a baseline file. `directory`: what its paths are relative to."""

    directory: str
    files: Mapping[str, Mapping[str, int]] = {}

    def name_of(self, path: str) -> str:
        """A file's key."""
        name = os.path.relpath(os.path.abspath(path), self.directory)
        return name.replace(os.sep, "/")

    def of(self, path: str) -> Mapping[str, int]:
        """Pass -> count for a file."""
        return self.files.get(self.name_of(path), {})

    def gone(self) -> list[str]:
        """The keys of files that are not there any more."""
        return [name for name in sorted(self.files) if not os.path.lexists(os.path.join(self.directory, name))]


def read_baseline(path: str) -> Baseline:
    """The baseline in a file. Raises BaselineError, and OSError where it cannot be read."""
    import json

    content = read_regular(path)
    try:
        value = json.loads(content)
    except json.JSONDecodeError as failure:
        raise BaselineError(f"{path}:{failure.lineno}:{failure.colno}: {failure.msg}") from None
    except (ValueError, RecursionError):  # also a number of thousands of digits
        raise BaselineError(f"{path}: not a JSON text") from None
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise BaselineError(f"{path}: not a baseline of version {VERSION}")
    files = value.get("files")
    if not isinstance(files, dict) or not all(
        isinstance(counts, dict)
        and all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in counts.values())
        for counts in files.values()
    ):
        raise BaselineError(f'{path}: "files" must map file names to counts by pass')
    return Baseline(os.path.dirname(os.path.abspath(path)), files)


def write_baseline(path: str, files: Mapping[str, Mapping[str, int]]) -> None:
    """Writes a baseline at once, in the order of its names. Raises OSError."""
    import json

    from dfopt.writing import Output

    non_empty = {name: dict(sorted(counts.items())) for name, counts in sorted(files.items()) if counts}
    text = json.dumps({"version": VERSION, "files": non_empty}, indent=2, ensure_ascii=True) + "\n"
    with Output(path) as file:
        file.write(text.encode())
