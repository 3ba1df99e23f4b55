"""New trees of a repository from those of a commit, with other contents of some files.

Only the directories on the way to a changed file are read and made, so that the size of the rest does not matter, and
all of them in a few batches: as many processes as the files are deep, whatever their number.
"""

from __future__ import annotations

import os

from dfopt.record import Record
from dfopt.workspace.git import GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dfopt.workspace.git import Checkout

_BATCH = 8 << 20  # bytes of contents or trees for one process
_TREE = "40000"
_ROOT = "/"  # no directory's path: what the name of a root tree is kept under
_TYPES = {_TREE: b"tree", "160000": b"commit"}


class TreeEntry(Record):
    """An entry of a tree. `mode`: in octal, as git stores it ("100644"); `name`: of the object, hexadecimal."""

    mode: str
    name: str


class HeadTrees:
    """The trees of a commit on the way to some files.

    commit  its name
    paths   of the files, relative to the top, with `/`

    Raises GitError."""

    def __init__(self, repository: Checkout, commit: str, paths: Iterable[str]) -> None:
        self.git = repository.git
        self.width = len(commit) // 2  # bytes of an object's name
        self.trees: dict[str, dict[str, TreeEntry]] = {}
        directories = {above for path in paths for above in _above(path)}
        for level in _levels(directories):
            names = {directory: self._tree_name(commit, directory) for directory in level}
            there = {directory: name for directory, name in names.items() if name}
            for directory, content in zip(there, self._contents(list(there.values())), strict=True):
                self.trees[directory] = dict(self._entries(content))

    def entry(self, path: str) -> TreeEntry | None:
        """The entry of a file; None where the commit has none."""
        directory, _, name = path.rpartition("/")
        return self.trees.get(directory, {}).get(name)

    def blob_name(self, content: bytes) -> str:
        """The name of a content as an object of this repository: a hash of its type, its size and itself (Pro Git,
        "Git Objects"; gitformat-pack(5), "hash-function-transition" for SHA-256)."""
        import hashlib

        new = hashlib.sha1 if self.width == 20 else hashlib.sha256
        return new(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def with_blobs(self, changes: Sequence[Mapping[str, str]]) -> list[str]:
        """Makes a root tree for each of `changes`, which map the paths of files that are there to the names of their
        new contents; returns the names of the trees. Raises GitError."""
        edits = [_by_directory(blobs) for blobs in changes]
        depth = max((_depth(directory) for edit in edits for directory in edit), default=0)
        for level in range(depth, -1, -1):
            wanted = [(edit, directory) for edit in edits for directory in edit if _depth(directory) == level]
            names = self._make(self._edited(directory, edit[directory]) for edit, directory in wanted)
            for (edit, directory), name in zip(wanted, names, strict=True):
                above, _, last = directory.rpartition("/")
                edit.setdefault(above if directory else _ROOT, {})[last] = name
        return [edit[_ROOT][""] for edit in edits]

    def _tree_name(self, commit: str, directory: str) -> str:
        if not directory:
            return f"{commit}^{{tree}}"
        entry = self.entry(directory)
        return entry.name if entry is not None and entry.mode == _TREE else ""

    def _contents(self, names: Sequence[str]) -> Iterator[bytes]:
        """The contents of trees. Raises GitError."""
        answer = self.git("cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
        place = 0
        for _ in names:
            end = answer.find(b"\n", place)
            words = answer[place:end].split()
            if end < 0 or len(words) != 3 or words[1] != b"tree":
                raise GitError("HEAD holds a damaged tree")
            place = end + 1 + int(words[2])
            yield answer[end + 1 : place]
            place += 1

    def _entries(self, content: bytes) -> Iterator[tuple[str, TreeEntry]]:
        """A tree's entries: mode, space, file name, NUL, the object's name in bytes. Raises GitError."""
        place = 0
        while place < len(content):
            space = content.find(b" ", place)
            nul = content.find(b"\0", space)
            if space < 0 or nul + self.width >= len(content):
                raise GitError("HEAD holds a damaged tree")
            mode, file = content[place:space].decode().lstrip("0"), os.fsdecode(content[space + 1 : nul])
            place = nul + 1 + self.width
            yield file, TreeEntry(mode, content[nul + 1 : place].hex())

    def _edited(self, directory: str, new: Mapping[str, str]) -> bytes:
        """A tree in the form of `ls-tree -z`, with other objects behind some of its names."""
        return b"".join(
            b"%s %s %s\t%s\0"
            % (
                entry.mode.encode(),
                _TYPES.get(entry.mode, b"blob"),
                new.get(file, entry.name).encode(),
                os.fsencode(file),
            )
            for file, entry in self.trees[directory].items()
        )

    def _make(self, trees: Iterable[bytes]) -> Iterator[str]:
        """The names of trees that are made, in order. What they refer to is there, or is made elsewhere."""
        for batch in _batches(trees):
            given = b"\0".join(batch) + b"\0"
            names = self.git("mktree", "-z", "--missing", "--batch", given=given).decode().split()
            if len(names) != len(batch):
                raise GitError("git mktree did not make all trees")
            yield from names


def write_blobs(repository: Checkout, contents: Iterable[bytes]) -> None:
    """Makes objects of contents, taken as they are. Raises GitError."""
    for batch in _batches(contents):
        commands = b"".join(b"blob\ndata %d\n%s\n" % (len(content), content) for content in batch)
        repository.git("fast-import", "--quiet", given=commands)


def _batches(contents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The contents in lists of some megabytes, or of one that is longer."""
    batch: list[bytes] = []
    size = 0
    for content in contents:
        batch.append(content)
        size += len(content)
        if size > _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _above(path: str) -> Iterator[str]:
    """The directories above a file, "" for the top."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _depth(directory: str) -> int:
    return directory.count("/") + 1 if directory else 0


def _levels(directories: Iterable[str]) -> Iterator[list[str]]:
    levels: dict[int, list[str]] = {}
    for directory in sorted(directories):
        levels.setdefault(_depth(directory), []).append(directory)
    for depth in sorted(levels):
        yield levels[depth]


def _by_directory(blobs: Mapping[str, str]) -> dict[str, dict[str, str]]:
    edit: dict[str, dict[str, str]] = {}
    for path, name in blobs.items():
        directory, _, file = path.rpartition("/")
        edit.setdefault(directory, {})[file] = name
    return edit
