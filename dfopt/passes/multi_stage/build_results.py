"""What a build file tells of the programs and files that it makes."""

from __future__ import annotations

from dfopt.ir.scopes import join_path
from dfopt.record import Record


class BuildResult(Record):
    """What a build file tells: `programs` and `data` as absolute paths, `libraries` that are linked by name (-lNAME),
    `modules` that pkg-config is asked for, and `loads`: shared libraries or modules of its own that are built; `names`:
    of the targets of a cmake project."""

    programs: tuple[str, ...]
    data: tuple[str, ...]
    libraries: tuple[str, ...]
    modules: tuple[str, ...]
    loads: tuple[str, ...]
    static: bool = False
    names: tuple[str, ...] = ()


def path_in(directory: str, word: str) -> str:
    """A word of a build file as an absolute path; as it is, where that is not known."""
    path = join_path(directory, word.strip("\"'"))
    return path if isinstance(path, str) else word
