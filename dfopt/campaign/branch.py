"""Branches made beside the work tree: git's objects and references only, through its own plumbing.

Nothing is checked out and no index is read or written; a branch is a commit on HEAD whose tree differs in the files of
one group. The objects of all branches are made together, in a few processes; a branch takes two more. Contents are
taken as they are: no filter of the repository runs, and of its conversions only that of newlines is known. What git
would refuse (no identity) is an error with git's own words.
"""

from __future__ import annotations

import os

from dfopt.campaign.git_trees import HeadTrees, write_blobs
from dfopt.record import Record
from dfopt.workspace.git import Checkout, GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.campaign.model import FileResult


class BranchRequest(Record):
    """A branch to make: its name, and the commit's message and files."""

    name: str
    message: str
    files: tuple[FileResult, ...]


class _Existing(Record):
    """The commit that a branch is at, its tree, and its parents, separated by spaces."""

    commit: str
    tree: str
    parents: str


def make_branches(repository: Checkout, prefix: str, branches: Sequence[BranchRequest]) -> Iterator[str]:
    """Makes branches, whose names begin with `prefix` and a slash: one commit on HEAD each, with the new contents
    of its files. Yields, for each in order, why it was not made, or "".

    A branch of that name with the same tree on the same commit is left as it is; any other is an error, as is a
    file that is not in HEAD as it was read."""
    try:
        repository.check()
        head = _head(repository)
        repository.git("check-ref-format", "--branch", f"{prefix}/branch")
        trees = _trees(repository, head, branches)
        existing = _existing(repository, prefix)
    except GitError as failure:
        for _ in branches:
            yield str(failure)
        return
    for branch, tree in zip(branches, trees, strict=True):
        try:
            if isinstance(tree, GitError):
                raise tree
            _make(repository, branch, tree, head, existing.get(branch.name))
        except GitError as failure:
            yield str(failure)
        else:
            yield ""


def _make(repository: Checkout, branch: BranchRequest, tree: str, head: str, existing: _Existing | None) -> None:
    if existing is not None:
        if (existing.tree, existing.parents) == (tree, head):
            return
        raise GitError(f"the branch {branch.name} already exists with different content")
    git = repository.git
    commit = git("commit-tree", tree, "-p", head, "-F", "-", given=branch.message.encode()).decode().strip()
    git("update-ref", "-m", "dfopt migrate", f"refs/heads/{branch.name}", commit, "0" * len(commit))


def _head(repository: Checkout) -> str:
    """The commit of HEAD. Raises GitError if there is none yet."""
    try:
        return repository.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except GitError:
        raise GitError("the repository has no commit yet") from None


def _existing(repository: Checkout, prefix: str) -> dict[str, _Existing]:
    """The branches below a prefix, by name. Raises GitError."""
    form = "%(refname)%00%(objectname)%00%(tree)%00%(parent)"
    lines = repository.git("for-each-ref", f"--format={form}", f"refs/heads/{prefix}").decode().splitlines()
    rows = (line.split("\0") for line in lines)
    return {name.removeprefix("refs/heads/"): _Existing(*columns) for name, *columns in rows}


def _trees(repository: Checkout, head: str, branches: Sequence[BranchRequest]) -> list[str | GitError]:
    """The root tree of each branch, whose objects are made, or what stands against it. Raises GitError."""
    top = os.path.realpath(repository.top)
    paths = {row.path: _path_below(top, row.path) for branch in branches for row in branch.files}
    trees = HeadTrees(repository, head, paths.values())
    outputs: dict[str, bytes] = {}
    blobs: list[dict[str, str] | GitError] = []
    for branch in branches:
        try:
            contents = {paths[row.path]: _new_content(trees, paths[row.path], row) for row in branch.files}
        except GitError as failure:
            blobs.append(failure)
            continue
        names = {path: trees.blob_name(content) for path, content in contents.items()}
        outputs.update((names[path], content) for path, content in contents.items())
        blobs.append(names)
    write_blobs(repository, outputs.values())
    made = iter(trees.with_blobs([names for names in blobs if not isinstance(names, GitError)]))
    return [names if isinstance(names, GitError) else next(made) for names in blobs]


def _new_content(trees: HeadTrees, path: str, row: FileResult) -> bytes:
    """What a branch holds in place of a file in HEAD, with LF newlines where HEAD has those and the work tree CRLF.
    Raises GitError where HEAD holds another content than was read."""
    assert row.result is not None
    source = row.result.source
    content, output = source.to_bytes(), source.__class__(path, row.result.output).to_bytes()
    entry = trees.entry(path)
    if entry is None:
        raise GitError(f"{path} is not committed")
    if entry.mode not in ("100644", "100755"):
        raise GitError(f"{path} is not a regular file in HEAD")
    if trees.blob_name(content) == entry.name:
        return output
    if b"\r\n" in content and trees.blob_name(_unix(content)) == entry.name:
        return _unix(output)
    raise GitError(f"{path} has uncommitted changes")


def _path_below(top: str, path: str) -> str:
    return os.path.relpath(os.path.realpath(path), top).replace(os.sep, "/")


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
