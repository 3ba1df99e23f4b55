"""The files of golden cases: each case is a directory, or a section of a Markdown file (`markdown`).

`GROUP/CASE/Dockerfile` makes the directory `GROUP/CASE` a case, `## CASE` in `GROUP.md` a section. The group is a pass
or a recipe; a recipe's name may have slashes.
"""

from __future__ import annotations

import os
from pathlib import Path

from dfopt.files import is_inside, read_regular, tree_of
from dfopt.toml import TomlError, parse
from dfopt.writing import remove_file, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The files that are dfopt's, not of the build context
OWN = frozenset(
    ("Dockerfile", "case.toml", "build.toml", "facts.toml", "expected.Dockerfile", "expected.diff", "expected.txt")
)


class CaseError(Exception):
    """A case that is not well formed; the message names the file, and the line where there is one."""


class CaseFiles:
    """The files of one case, by their paths below it. `name` is "<group>/<case>"."""

    __slots__ = ("group", "name")

    keeps_diff = True

    def __init__(self, group: str, case: str) -> None:
        self.group = group
        self.name = f"{group}/{case}"

    @property
    def file(self) -> Path:
        """The file that holds the Dockerfile."""
        raise NotImplementedError

    def where(self, file: str, line: int = 0) -> str:
        """The place of one of the files, or of a line of it (from 1), for messages."""
        raise NotImplementedError

    def names(self) -> Iterable[str]:
        """The paths of all files, with forward slashes."""
        raise NotImplementedError

    def read(self, file: str) -> bytes | None:
        """The content of a file; None where there is none. Raises CaseError where it cannot be read."""
        raise NotImplementedError

    def write(self, file: str, data: bytes | None) -> None:
        """Writes a file, or removes it (None). Raises CaseError where that cannot be done."""
        raise NotImplementedError

    def table(self, file: str) -> dict[str, Any]:
        """A TOML file; empty where there is none. Raises CaseError."""
        try:
            return parse(self.read(file) or b"")[1]
        except TomlError as failure:
            column = f":{failure.column}" if failure.line else ""
            raise CaseError(f"{self.where(file, failure.line)}{column}: {failure.message}") from None

    def context(self) -> list[str]:
        """The paths of the files of the build context, before .dockerignore."""
        return sorted(name for name in self.names() if name not in OWN)


class CaseDirectory(CaseFiles):
    """A case that is a directory."""

    __slots__ = ("path",)

    def __init__(self, path: Path, group: str | None = None) -> None:
        super().__init__(path.parent.name if group is None else group, path.name)
        self.path = path

    @property
    def file(self) -> Path:
        return self.path / "Dockerfile"

    def where(self, file: str, line: int = 0) -> str:
        return f"{self.path / file}:{line}" if line else f"{self.path / file}"

    def names(self) -> Iterable[str]:
        return [path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()]

    def read(self, file: str) -> bytes | None:
        path = self.path / file
        return read_case_file(path)

    def write(self, file: str, data: bytes | None) -> None:
        write_case_file(self.path / file, data)


def read_case_file(path: Path) -> bytes | None:
    """The content of a file; None where there is none. Raises CaseError where it cannot be read, and where a link leads
    out of the tree: what is read is shown."""
    name = str(path)
    try:
        if os.path.lexists(name) and not is_inside(name, tree_of(name)):
            raise CaseError(f"{path}: a symbolic link leads out of the tree")
        return read_regular(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from None


def write_case_file(path: Path, data: bytes | None) -> None:
    """Writes a file, or removes it (None). Raises CaseError where that cannot be done, and for a link."""
    name = str(path)
    try:
        if data is None:
            remove_file(name, tree_of(name))
        else:
            replace_file(name, data, root=tree_of(name))
    except OSError as error:
        raise CaseError(f"{path}: not written: {error.strerror}") from None
