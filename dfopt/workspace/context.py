"""The build context of a Dockerfile on disk: which directory it is, what it holds after .dockerignore.

Which directory is the context is said on the command line of a build and nowhere in the file. So: what the user says;
else the one directory, the Dockerfile's own or above it, up to the root of the repository, where everything is that the
file names by COPY, ADD and bind mounts. Where there are several: what a build definition beside the file or above it
states; else its own directory. Where that is not clear, it is unknown. Links are never followed out of the context.
"""

from __future__ import annotations

import os
import posixpath
import time
from stat import S_ISLNK, S_ISREG, S_ISSOCK

from dfopt.files import is_inside, read_regular
from dfopt.ir.context_sources import context_sources
from dfopt.ir.program import Program
from dfopt.syntax import dockerignore, go_pattern
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError
from dfopt.workspace.paths import above, above_in_repository, bound_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_PATHS = 50_000  # files and directories; a larger context is not listed
KEPT = 2.0  # seconds for which files of one run that follow each other share the listing of their context
MOST_BYTES = 16 << 20  # of a file; a larger one is not read
IGNORE_FILE = ".dockerignore"
# directories that hold Dockerfiles for what lies above them, more often than a build context of their own
_NO_CONTEXT = frozenset((
    "docker", ".docker", "dockerfile", "dockerfiles", "container", "containers", "containerfiles", "build", ".build",
    "deploy", "deployment", "ci", ".ci", ".devcontainer", ".github", "infra", "ops", "packaging", "scripts", "contrib",
))  # fmt: skip


NO_PATTERNS = dockerignore.Matcher(())


class BuildContext:
    """A directory as a builder sees it. `ignore_path` is the .dockerignore in force, "" where there is none. `shared`:
    its listing may be one of another file of the run (see KEPT)."""

    __slots__ = ("_paths", "_real", "ignore_path", "matcher", "root", "shared")

    def __init__(self, root: str, ignore_path: str, matcher: dockerignore.Matcher) -> None:
        self.root = root
        self.ignore_path = ignore_path
        self.matcher = matcher
        self.shared = False
        self._real = ""
        self._paths: frozenset[str] | bool | None = False

    def paths(self) -> frozenset[str] | None:
        """The files (and links) of the context, relative, "/"-separated; directories are not listed. None where the
        context is too large (MOST_PATHS), or cannot be listed in full."""
        if self._paths is False:
            self._paths = _kept(self.root, self.matcher) if self.shared else _listed(self.root, self.matcher)
        assert not isinstance(self._paths, bool)
        return self._paths

    def read(self, path: str) -> bytes | None:
        """The content of a regular file of the context; None where it is not there, not readable, left out by
        .dockerignore, reached by a link out of the context, or larger than MOST_BYTES."""
        path = posixpath.normpath("/" + path).lstrip("/")
        if not path or self.left_out(path):
            return None
        if not self._real:
            self._real = os.path.join(os.path.realpath(self.root), "")
        target = os.path.realpath(os.path.join(self.root, path))
        if not target.startswith(self._real):
            return None
        real = target[len(self._real) :].replace(os.sep, "/")
        if real != path and self.left_out(real):
            return None
        try:
            return read_regular(target, MOST_BYTES)
        except OSError:
            return None

    def holds(self, path: str) -> bool:
        """Whether a file, link or directory of that name ("" for the context itself) is in the context."""
        if not path:
            return True
        at = self.root
        for part in path.split("/")[:-1]:
            at = os.path.join(at, part)
            if os.path.islink(at) and not os.path.realpath(at).startswith(
                os.path.join(os.path.realpath(self.root), "")
            ):
                return False
        try:
            mode = os.lstat(os.path.join(self.root, path)).st_mode
        except (OSError, ValueError):
            return False
        if not self.left_out(path):
            return True
        # a directory that is left out is there all the same where an exception reaches below it
        return not (S_ISREG(mode) or S_ISLNK(mode)) and self.matcher.exceptions and not self.matcher.prunes(path)

    def exists(self, path: str) -> bool:
        """Whether a file, link or directory of that name is in the directory, left out or not."""
        return os.path.lexists(os.path.join(self.root, path))

    def lacks(self, path: str) -> bool:
        """Whether a file, link or directory of that name is in the directory, and not in the context."""
        return self.exists(path) and not self.holds(path)

    def matches(self, pattern: str) -> bool:
        """Whether a pattern of COPY matches anything in the context."""
        return any(True for _ in self._matching("", pattern.split("/")))

    def _matching(self, directory: str, parts: list[str]) -> Iterator[str]:
        try:
            names = sorted(os.listdir(os.path.join(self.root, directory)))
        except OSError:
            return
        for name in names:
            path = posixpath.join(directory, name)
            if not go_pattern.match(parts[0], name):
                continue
            if len(parts) == 1:
                if self.holds(path):
                    yield path
            else:
                yield from self._matching(path, parts[1:])

    def left_out(self, path: str) -> bool:
        """Whether .dockerignore leaves a path out. What cannot be judged counts as left out."""
        try:
            return self.matcher.leaves_out(path)
        except dockerignore.IgnoreError:
            return True


class _TooMany(Exception):
    pass


def _listed(root: str, matcher: dockerignore.Matcher) -> frozenset[str] | None:
    """As `BuildContext.paths`."""
    try:
        return frozenset(_walk(root, matcher))
    except (OSError, dockerignore.IgnoreError, _TooMany):
        return None


_latest: tuple[tuple[str, tuple[str, ...]], float, frozenset[str] | None] | None = None


def _kept(root: str, matcher: dockerignore.Matcher) -> frozenset[str] | None:
    """As `_listed`: the latest listing, where it is of this context and not older than KEPT."""
    global _latest
    key = os.path.abspath(root), matcher.written
    previous = _latest[2] if _latest is not None and _latest[0] == key else None
    if _latest is None or _latest[0] != key or time.monotonic() - _latest[1] > KEPT:
        paths = _listed(root, matcher)
        if paths == previous:
            paths = previous  # the same object: what others remember of it holds
        _latest = key, time.monotonic(), paths
    return _latest[2]


def _walk(root: str, matcher: dockerignore.Matcher) -> Iterator[str]:
    """The paths of a context. Raises OSError, IgnoreError, _TooMany."""
    count = 0
    stack: list[tuple[str, str, tuple[bool, ...] | None]] = [(root, "", None)]
    while stack:
        directory, prefix, above = stack.pop()
        with os.scandir(directory) as listing:
            entries = list(listing)
        count += len(entries)
        if count > MOST_PATHS:
            raise _TooMany
        for entry in entries:
            path = prefix + entry.name
            is_directory = entry.is_dir(follow_symlinks=False)
            left_out, state = matcher.step(path, above) if matcher.patterns else (False, None)
            if is_directory:
                if not (left_out and matcher.prunes(path)):
                    stack.append((entry.path, path + "/", state))
            elif not left_out and not _is_socket(entry):
                yield path


def list_all(root: str) -> frozenset[str] | None:
    """All files and links below a directory, nothing left out; None as for `BuildContext.paths`."""
    return BuildContext(root, "", NO_PATTERNS).paths()


def _is_socket(entry: os.DirEntry[str]) -> bool:
    if entry.is_file(follow_symlinks=False) or entry.is_symlink():
        return False
    return S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)


def ignore_file(dockerfile: str, root: str) -> str | None:
    """The path of the .dockerignore that a build of this file in this context uses, "" without one. BuildKit: the one
    named after the Dockerfile, beside it, before the context's own. None where builders differ: the first is empty and
    the second is not, or the second is a link out of the context."""
    specific, shared = dockerfile + IGNORE_FILE if dockerfile else "", os.path.join(root, IGNORE_FILE)
    if specific and os.path.islink(specific) and not is_inside(specific, bound_of(specific)):
        return None
    if specific and os.path.isfile(specific):
        if os.path.getsize(specific) or not os.path.isfile(shared) or not os.path.getsize(shared):
            return specific
        return None
    if os.path.islink(shared) and not os.path.realpath(shared).startswith(os.path.join(os.path.realpath(root), "")):
        return None
    return shared if os.path.isfile(shared) else ""


def open_context(dockerfile: str, root: str) -> BuildContext | None:
    """The context `root` of a Dockerfile ("" for one without a path); None where its .dockerignore cannot be used."""
    try:
        path = ignore_file(dockerfile, root)
        if path is None:
            return None
        content = b""
        if path:
            content = read_regular(path)
        return BuildContext(root, path, dockerignore.read(content))
    except (OSError, dockerignore.IgnoreError):
        return None


def needs_of(text: str) -> tuple[tuple[str, bool], ...] | None:
    """What a Dockerfile needs of its build context: paths, and whether each is a pattern; None for what is none."""
    try:
        program = Program(parse(text))
    except DockerfileError:
        return None
    return tuple([(one.path, one.wildcard) for one in context_sources(program) if one.path and not one.onbuild])


def find_context(
    path: str, root: str, needs: Callable[[], Sequence[tuple[str, bool]] | None], given: str | None
) -> BuildContext | None:
    """The build context of the Dockerfile `path` with these needs (`needs_of`); `root` and `given` as in
    `ContextFacts`."""
    if path == "-":
        return open_context("", given) if given is not None else None
    if given is not None:
        return open_context(path, given)
    needed = needs()
    if needed is None:
        return None
    directory = os.path.dirname(os.path.abspath(path))
    context = open_context(path, directory)
    if context is None:
        return None
    fits = _all_there(context, needed)
    above = [
        candidate
        for candidate in (open_context(path, at) for at in _above(directory, root))
        if candidate and _all_there(candidate, needed)
    ]
    if not needed or fits + len(above) != 1:
        from dfopt.workspace.stated_builds import stated_directory

        stated = stated_directory(path, [directory, *_above(directory, root)])
        if stated is not None:
            return open_context(path, stated)
    if fits:
        clear = needed or os.path.basename(directory).lower() not in _NO_CONTEXT
        return context if clear or os.path.lexists(os.path.join(directory, ".git")) else None
    return above[0] if len(above) == 1 else None  # without needs, its own directory had everything


def find_whole_directory(path: str, needed: Sequence[tuple[str, bool]] | None) -> BuildContext | None:
    """The Dockerfile's own directory as its context, where everything that the file names in full is there, left out or
    not; None where it is not."""
    context = open_context(path, os.path.dirname(os.path.abspath(path))) if needed is not None else None
    if context is None:
        return None
    named = [source for source, wildcard in needed or () if not wildcard]
    return context if named and all(context.exists(source) for source in named) else None


def _all_there(context: BuildContext, needed: Sequence[tuple[str, bool]]) -> bool:
    """Whether everything that the file names is there. A pattern may match nothing (`yarn.lock*`), but not all of them
    where nothing is named in full."""
    named = [path for path, wildcard in needed if not wildcard]
    if named or not needed:
        return all(context.holds(path) for path in named)
    return any(context.matches(path) for path, _ in needed)


def _above(directory: str, root: str) -> Iterator[str]:
    """The directories above one up to the root of its repository; without a repository, up to `root`."""
    directories = above_in_repository(directory)
    if directories is None:
        last = os.path.abspath(root) if root else directory
        directories = [
            parent for parent in above(directory) if parent == last or parent.startswith(os.path.join(last, ""))
        ]
    yield from directories
