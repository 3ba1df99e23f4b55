"""Groups of a campaign: the changed files that share a patch or branch."""

from __future__ import annotations

import os
import re

from dfopt.campaign.owners import Owners, read_owners
from dfopt.record import Record
from dfopt.workspace.git import Checkout, repository_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.campaign.model import FileResult

NOBODY = "no owner"
BY = ("all", "owner", "directory", "file")


class DeliveryGroup(Record):
    """Files delivered together. `label`: for display; `slug`: for names of files and branches, unique in a campaign;
    `top`: their repository, or None."""

    label: str
    slug: str
    top: str | None
    files: tuple[FileResult, ...]


class Grouper:
    """Sorts files into groups.

    by     one of BY: all of a repository together; by the owners in its CODEOWNERS file; by the first `depth`
           directories of the path; each alone
    """

    def __init__(self, by: str, depth: int = 1) -> None:
        self.by = by
        self.depth = depth
        self._owners: dict[str, Owners | None] = {}

    def owner_of(self, path: str) -> str:
        """The owners of a file by its repository's CODEOWNERS; NOBODY where it has none. Raises OSError."""
        repository = repository_of(os.path.dirname(os.path.abspath(path)))
        base = repository.top if repository is not None else os.getcwd()
        return self._owner(os.path.relpath(os.path.realpath(path), os.path.realpath(base)), base)

    def _owner(self, path: str, base: str) -> str:
        if base not in self._owners:
            self._owners[base] = read_owners(base)
        owners = self._owners[base]
        return " ".join(owners.of(path.replace(os.sep, "/")) if owners is not None else ()) or NOBODY

    def groups(self, files: Iterable[FileResult]) -> list[DeliveryGroup]:
        """The groups, sorted by label. Raises OSError if a CODEOWNERS file cannot be read."""
        files_by_label: dict[tuple[str, str], list[FileResult]] = {}
        tops: dict[str, str | None] = {}
        for row in files:
            repository = repository_of(os.path.dirname(os.path.abspath(row.path)))
            base = repository.top if repository is not None else os.getcwd()
            tops[base] = repository.top if repository is not None else None
            files_by_label.setdefault((base, self.label(row, base, repository)), []).append(row)
        several = len(tops) > 1
        result: list[DeliveryGroup] = []
        taken: set[str] = set()
        for (base, label), members in sorted(files_by_label.items(), key=lambda item: (item[0][1], item[0][0])):
            words = f"{os.path.basename(base)}/{label}" if several else label
            slug = unique(slug_of(words), taken)
            result.append(DeliveryGroup(words, slug, tops[base], tuple(members)))
        return result

    def label(self, row: FileResult, base: str, repository: Checkout | None) -> str:
        """The label of a file's group."""
        path = os.path.relpath(os.path.realpath(row.path), os.path.realpath(base)).replace(os.sep, "/")
        if self.by == "file":
            return path
        if self.by == "directory":
            parts = path.split("/")[:-1]
            return "/".join(parts[: self.depth]) or "."
        if self.by == "owner":
            return self._owner(path, base)
        return "all"


def slug_of(label: str) -> str:
    """A label as part of a file's or branch's name: letters, digits, `.`, `_` and `-`."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-.")
    slug = re.sub(r"\.{2,}", ".", slug)
    while (shorter := slug[:80].rstrip("-.").removesuffix(".lock")) != slug:
        slug = shorter
    return slug or "root"


def unique(slug: str, taken: set[str]) -> str:
    """`slug`, with a number appended if it is taken; case is ignored, for case-insensitive file systems."""
    candidate, number = slug, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{slug}-{number}"
    taken.add(candidate.lower())
    return candidate
