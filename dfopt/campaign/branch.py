"""Branches made beside the work tree: git's objects and references only, through its own plumbing.

Nothing is checked out and no index of the user's is touched; a branch is a commit on HEAD whose tree differs in the
files of one group. Contents are taken as they are: no filter of the repository runs, and of its conversions only
that of newlines is known. What git would refuse (no identity) is an error with git's own words.
"""

from __future__ import annotations

import os
import tempfile

from dfopt.workspace.git import Checkout, GitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.campaign.model import FileResult


def make_branch(repository: Checkout, name: str, message: str, files: Sequence[FileResult]) -> str:
    """Makes the branch `name`: one commit on HEAD with the new contents of `files`. Returns the commit.

    A branch of that name with the same tree on the same commit is left as it is; any other is an error, as is a
    file that is not in HEAD as it was read. Raises GitError; then no branch was made."""
    repository.check()
    git = repository.git
    head = _head(repository)
    git("check-ref-format", "--branch", name)
    with tempfile.TemporaryDirectory(prefix="dfopt-") as place:
        index = os.path.join(place, "index")
        git("read-tree", head, index=index)
        for row in files:
            assert row.result is not None
            path = os.path.relpath(os.path.realpath(row.path), os.path.realpath(repository.top)).replace(os.sep, "/")
            mode, converted = _committed(repository, path, row.result.source.to_bytes())
            output = row.result.source.__class__(path, row.result.output).to_bytes()
            blob = _blob(repository, _unix(output) if converted else output, "-w")
            git("update-index", "--cacheinfo", f"{mode},{blob},{path}", index=index)
        tree = git("write-tree", index=index).decode().strip()
    reference = f"refs/heads/{name}"
    try:
        there = git("rev-parse", "--verify", "--quiet", reference).decode().strip()
    except GitError:
        there = ""
    if there:
        same = git("rev-parse", f"{there}^{{tree}}").decode().strip() == tree
        if same and git("rev-parse", f"{there}^").decode().strip() == head:
            return there
        raise GitError(f"the branch {name} already exists with different content")
    commit = git("commit-tree", tree, "-p", head, "-F", "-", given=message.encode()).decode().strip()
    git("update-ref", "-m", "dfopt migrate", reference, commit, "0" * len(commit))
    return commit


def _head(repository: Checkout) -> str:
    """The commit of HEAD. Raises GitError if there is none yet."""
    try:
        return repository.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except GitError:
        raise GitError("the repository has no commit yet") from None


def _committed(repository: Checkout, path: str, content: bytes) -> tuple[str, bool]:
    """The mode of a file in HEAD, and whether it is there with LF newlines while `content` has CRLF. Raises GitError
    where HEAD holds another content."""
    line = repository.git("ls-tree", "-z", "HEAD", "--", f":(top,literal){path}").rstrip(b"\0")
    if not line:
        raise GitError(f"{path} is not committed")
    mode, kind, blob = line.partition(b"\t")[0].decode().split()
    if kind != "blob" or mode not in ("100644", "100755"):
        raise GitError(f"{path} is not a regular file in HEAD")
    if _blob(repository, content) == blob:
        return mode, False
    if b"\r\n" in content and _blob(repository, _unix(content)) == blob:
        return mode, True
    raise GitError(f"{path} has uncommitted changes")


def _blob(repository: Checkout, content: bytes, *options: str) -> str:
    """The object name of a content, taken as it is."""
    return repository.git("hash-object", *options, "--no-filters", "--stdin", given=content).decode().strip()


def _unix(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")
