"""git, started here and nowhere else: plumbing on objects and references of a checkout, from its top.

Whoever made a checkout may have written its `.git/config`, and a directory of a repository may be a bare repository of
its own. Both name programs: a file system monitor, hooks, filters, transports. So the top is found by this process, git
must find the same one there, and runs none of them: see `_SETTINGS` and `_environment` (git-config(1), git(1)).
"""

from __future__ import annotations

import os
import subprocess

from dfopt.guard import run_guarded
from dfopt.record import Record
from dfopt.workspace.paths import above_in_repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = 600.0
_SETTINGS = (
    "safe.bareRepository=explicit",  # no repository but a checkout's `.git`
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",  # also those of references and of the index
    f"core.attributesFile={os.devnull}",
    "core.pager=cat",
    "core.askPass=",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
)
# Variables of git's that stand for the user: the name on a commit, and which of the user's own files are read.
_KEPT = frozenset((
    "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
))  # fmt: skip


class GitError(Exception):
    """git could not do it; the message is one line."""


class Checkout(Record):
    """A checkout. `top` is its root directory."""

    top: str

    def git(self, *words: str, given: bytes | None = None) -> bytes:
        """What a git command prints. Raises GitError with the last line of what it complained of."""
        return _run(self.top, words, given)

    def check(self) -> None:
        """Raises GitError where git does not take `top` for the root of a checkout."""
        where = self.git("rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").rstrip("\n")
        if os.path.realpath(where) != os.path.realpath(self.top):
            raise GitError(f"{self.top} is not the top of a checkout")


def repository_of(directory: str) -> Checkout | None:
    """The repository that a directory lies in: the nearest directory with a `.git`. None where it lies in none."""
    above = above_in_repository(directory)
    if above is None:
        return None
    return Checkout(above[-1] if above else directory)


def _run(top: str, words: Sequence[str], given: bytes | None) -> bytes:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        command = ["git", "--no-pager", "-C", top, *settings, *words]
        done = run_guarded(command, _SECONDS, given, _environment(top))
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {words[0]} did not end in {_SECONDS:g} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[-1].removeprefix("fatal: ") if lines else f"git {words[0]} failed")
    return done.stdout


def _environment(top: str) -> dict[str, str]:
    """The process's environment without git's own variables: a hook that runs dfopt has GIT_DIR and GIT_INDEX_FILE
    set, for a repository that need not be this one."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _KEPT}
    return {
        **inherited,
        "LC_ALL": "C",
        "GIT_CEILING_DIRECTORIES": os.path.dirname(os.path.realpath(top)),  # no repository above
        "GIT_ALLOW_PROTOCOL": "",  # no transport at all, whatever the configuration says
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
