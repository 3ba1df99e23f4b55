"""What the latest commits of a checkout changed in a build context."""

from __future__ import annotations

import os
import posixpath

from dfopt.workspace.git import repository_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def changed_paths(context: str, commits: int) -> list[frozenset[str]]:
    """The paths, relative to a build context, that each of the latest commits below it changed, the newest first:
    `commits` of them at most, merges left out. Nothing where it lies in no checkout. Raises GitError."""
    directory = os.path.realpath(context)
    repository = repository_of(directory)
    if repository is None:
        return []
    repository.check()
    below = posixpath.join(*os.path.relpath(directory, os.path.realpath(repository.top)).split(os.sep))
    # plumbing alone: `git log` runs what the repository's own log.showSignature and gpg.program name
    listed = repository.git(
        "--literal-pathspecs", "rev-list", f"--max-count={commits}", "--no-merges", "HEAD", "--", below
    )
    relative = [] if below == "." else [f"--relative={below}"]
    words = ("diff-tree", "--stdin", "-r", "--root", "-z", "--no-renames", "--name-only", *relative)
    return list(_split(repository.git(*words, given=listed), listed.split()))


def _split(output: bytes, names: list[bytes]) -> Iterator[frozenset[str]]:
    """The paths behind each commit's name, in the order of the names; a commit that changed nothing has none."""
    waiting = list(reversed(names))
    paths: list[str] | None = None
    for item in output.split(b"\0"):
        if waiting and item == waiting[-1]:
            waiting.pop()
            if paths is not None:
                yield frozenset(paths)
            paths = []
        elif item and paths is not None:
            paths.append(item.decode("utf-8", "surrogateescape"))
    if paths is not None:
        yield frozenset(paths)
