"""Branches made beside the work tree: git's objects and references only, through its own plumbing.

Nothing is checked out and no index of the user's is touched; a branch is a commit on HEAD whose tree differs in the
files of one group. What git would refuse (no identity, a hook's business) is an error with git's own words.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.campaign.model import FileResult


class GitError(Exception):
    """git could not do it; the message is one line."""


class Repository(Record):
    """A work tree. `top` is its root directory."""

    top: str

    def git(self, *words: str, given: bytes | None = None, **env: str) -> bytes:
        """What a git command prints. Raises GitError with the last line of what it complained of."""
        return _git(self.top, words, given, env)

    def head(self) -> str:
        """The commit that HEAD names. Raises GitError where there is none yet."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
        except GitError:
            raise GitError("the repository has no commit yet") from None

    def committed(self, path: str, content: bytes) -> tuple[str, str]:
        """Mode and object of a file in HEAD, which must hold `content`. Raises GitError where it does not."""
        line = self.git("ls-tree", "-z", "HEAD", "--", f":(top,literal){path}").rstrip(b"\0")
        if not line:
            raise GitError(f"{path} is not committed")
        mode, kind, blob = line.partition(b"\t")[0].decode().split()
        if kind != "blob" or mode not in ("100644", "100755"):
            raise GitError(f"{path} is no regular file in HEAD")
        if self.git("hash-object", "--stdin", f"--path={path}", given=content).decode().strip() != blob:
            raise GitError(f"{path} has changes that are not committed")
        return mode, blob

    def branch(self, name: str, message: str, files: Sequence[FileResult]) -> str:
        """Makes the branch `name`: one commit on HEAD with the new contents of `files`. Returns the commit.

        A branch of that name with the same tree on the same commit is left as it is; any other is an error, as is a
        file that is not in HEAD as it was read. Raises GitError; then no branch was made."""
        head = self.head()
        self.git("check-ref-format", "--branch", name)
        with tempfile.TemporaryDirectory(prefix="dfopt-") as place:
            index = os.path.join(place, "index")
            self.git("read-tree", head, GIT_INDEX_FILE=index)
            for one in files:
                assert one.result is not None
                path = os.path.relpath(os.path.realpath(one.path), os.path.realpath(self.top)).replace(os.sep, "/")
                mode, _ = self.committed(path, one.result.source.to_bytes())
                output = one.result.source.__class__(path, one.result.output).to_bytes()
                blob = self.git("hash-object", "-w", "--stdin", f"--path={path}", given=output).decode().strip()
                self.git("update-index", "--cacheinfo", f"{mode},{blob},{path}", GIT_INDEX_FILE=index)
            tree = self.git("write-tree", GIT_INDEX_FILE=index).decode().strip()
        reference = f"refs/heads/{name}"
        try:
            there = self.git("rev-parse", "--verify", "--quiet", reference).decode().strip()
        except GitError:
            there = ""
        if there:
            same = self.git("rev-parse", f"{there}^{{tree}}").decode().strip() == tree
            if same and self.git("rev-parse", f"{there}^").decode().strip() == head:
                return there
            raise GitError(f"the branch {name} exists and holds something else")
        commit = self.git("commit-tree", tree, "-p", head, "-F", "-", given=message.encode()).decode().strip()
        self.git("update-ref", "-m", "dfopt migrate", reference, commit, "0" * len(commit))
        return commit


_known: dict[str, Repository | None] = {}


def repository_of(directory: str) -> Repository | None:
    """The repository that a directory lies in; None where it lies in none. Raises GitError where there is no git."""
    if directory not in _known:
        try:
            top = _git(directory, ("rev-parse", "--show-toplevel"), None, {}).decode().rstrip("\n")
            _known[directory] = Repository(top)
        except GitError as failure:
            if "not installed" in str(failure):
                raise
            _known[directory] = None
    return _known[directory]


def _git(directory: str, words: Sequence[str], given: bytes | None, env: dict[str, str]) -> bytes:
    # a hook that runs dfopt has GIT_DIR and GIT_INDEX_FILE set, for a repository that need not be this one
    own = {key: value for key, value in os.environ.items() if key not in _POINTERS}
    try:
        done = subprocess.run(
            ["git", "-C", directory, *words],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            env={**own, "LC_ALL": "C", **env},
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[-1].removeprefix("fatal: ") if lines else f"git {words[0]} failed")
    return done.stdout


_POINTERS = frozenset(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"))
