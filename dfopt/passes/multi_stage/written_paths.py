"""The file tree that a stage's steps make: which path comes from which step, and from which file of the context."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.effects import above, covers
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.unblock import CONTEXT, WRITE_OUT
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

SCRATCH = (
    "/tmp", "/var/tmp", "/var/cache", "/root/.cache", "/dev", "/proc", "/run", "/etc/apt", "/etc/apk",
    "/usr/share/keyrings", "/usr/share/man", "/usr/share/doc",
)  # fmt: skip
_HIDDEN = (".git", ".svn", ".hg")


class WrittenPath(Record):
    """One thing that a step leaves behind.

    path    absolute; what is meant is the file, or the directory with all that is in it
    step    the step
    kind    "context" (a file of the build context, `source` its path there), "tree" (a directory of the context of
            which the files are not known), "file" (written by a command), "tool" (written by a build tool,
            `role` says what), "stage" (of another stage or image), "directory" (empty)
    """

    path: str
    step: Step
    kind: str
    source: str = ""
    role: str = ""


class WrittenPaths:
    """What steps have left so far, in the order in which it was written; found by path, since a stage may write and
    delete thousands."""

    __slots__ = ("_directories", "_entries", "_next", "_numbers")

    def __init__(self) -> None:
        self._entries: dict[int, WrittenPath] = {}
        self._next = 0
        self._numbers: dict[str, list[int]] = {}  # path -> entries at it and below it, of which some may be gone
        self._directories: dict[str, int] = {}  # paths that are directories for certain -> entries that say so

    def __iter__(self) -> Iterator[WrittenPath]:
        return iter(self._entries.values())

    def __reversed__(self) -> Iterator[WrittenPath]:
        return reversed(self._entries.values())

    def append(self, entry: WrittenPath) -> None:
        self._entries[self._next] = entry
        for place in dict.fromkeys(above(entry.path)):
            self._numbers.setdefault(place, []).append(self._next)
        directory = _directory(entry)
        if directory is not None:
            self._directories[directory] = self._directories.get(directory, 0) + 1
        self._next += 1

    def extend(self, entries: Iterable[WrittenPath]) -> None:
        for entry in entries:
            self.append(entry)

    def below(self, path: str) -> list[tuple[int, WrittenPath]]:
        """The entries at or below a path, each with the number that `remove` takes."""
        place = path.rstrip("/") or "/"
        numbers = [number for number in self._numbers.get(place, ()) if number in self._entries]
        self._numbers[place] = numbers
        found = [(number, self._entries[number]) for number in numbers]
        return [(number, entry) for number, entry in found if covers(path, entry.path)]

    def remove(self, number: int) -> None:
        entry = self._entries.pop(number)
        directory = _directory(entry)
        if directory is not None:
            self._directories[directory] -= 1
            if not self._directories[directory]:
                del self._directories[directory]

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory for certain."""
        return path in self._directories

    def directories(self) -> set[str]:
        """Paths that are directories for certain."""
        return set(self._directories)


def _directory(entry: WrittenPath) -> str | None:
    """The directory that an entry tells of."""
    if entry.kind == "directory":
        return entry.path
    return (entry.path.rpartition("/")[0] or "/") if entry.kind in ("context", "file") else None


def copied(program: Program, step: Step, facts: Facts, directories: Container[str], home: str) -> list[WrittenPath]:
    """What a COPY or ADD leaves. `home`: the base image's own working directory. Raises Refusal."""
    node, line = step.node, step.node.line
    scope = program.scope(step)
    words = [scope.expand(word.value, program.dockerfile.escape) for word in node.arguments]
    last = words[-1]
    target = join_path(home if isinstance(scope.workdir, Unknown) else scope.workdir, last)
    if isinstance(target, Unknown) or isinstance(last, Unknown):
        raise Refusal(f"where line {line} copies to depends on something unknown", WRITE_OUT)
    if node.flag("exclude") is not None or node.flag("parents") is not None:
        raise Refusal(f"which files line {line} takes is not followed (--exclude, --parents)")
    into = last.endswith("/") or last in (".", "..") or len(words) > 2 or target in SYSTEM or target in directories
    if node.heredocs:
        return [
            WrittenPath(_inside(target, str(word).lstrip("<-").strip("'\""), into), step, "file") for word in words[:-1]
        ]
    if node.flag("from") is not None:
        if any(isinstance(word, Unknown) for word in words):
            raise Refusal(f"what line {line} copies depends on something unknown", WRITE_OUT)
        # a directory's content or a file: which of them is not told, so that the target may be either
        if target in SYSTEM:
            return [
                WrittenPath(_inside(target, posixpath.basename(str(word)), True), step, "stage") for word in words[:-1]
            ]
        return [WrittenPath(target, step, "stage")]
    paths = facts.context_paths()
    entries: list[WrittenPath] = []
    for word in words[:-1]:
        if isinstance(word, Unknown):
            raise Refusal(f"what line {line} copies depends on something unknown", WRITE_OUT)
        if "://" in word or word.startswith("git@"):
            name = word.rpartition("/")[2].partition("?")[0]
            entries.append(WrittenPath(_inside(target, name, into), step, "file"))
        elif paths is None:
            entries.append(_unknown(word, target, into, step))
        else:
            matches = _of_context(word, target, into, paths, step)
            if not matches:
                raise Refusal(f"the build context does not have what line {line} copies ({word})", CONTEXT)
            entries += matches
    return entries


def _unknown(word: str, target: str, into: bool, step: Step) -> WrittenPath:
    """A source of which it is not known whether it is a file or a directory."""
    name = posixpath.basename(posixpath.normpath(word))
    if word in (".", "./", "/", "*") or word.endswith("/") or not re.search(r"[\w]\.[A-Za-z0-9]{1,6}\Z", name):
        return WrittenPath(target, step, "tree", posixpath.normpath(word).lstrip("/"))
    if any(char in name for char in "*?["):
        return WrittenPath(target, step, "tree", posixpath.normpath(word).lstrip("/"))
    return WrittenPath(_inside(target, name, into), step, "context", posixpath.normpath(word).lstrip("/"))


def _of_context(word: str, target: str, into: bool, paths: frozenset[str], step: Step) -> list[WrittenPath]:
    """The files of the context that a source names, at their places in the image."""
    source = posixpath.normpath(word).lstrip("/")
    unpacks = step.node.keyword == "ADD" and re.search(r"\.(?:tar|tgz|tbz2?|txz|tar\.\w+)\Z", source)
    entries: list[WrittenPath] = []
    names = [source]
    if any(char in source for char in "*?["):
        depth = source.count("/")
        tops = {"/".join(path.split("/")[: depth + 1]) for path in paths if path.count("/") >= depth}
        names = sorted(top for top in tops if _glob(top, source))
        into = into or len(names) > 1
    for name in names:
        if name in paths:
            place = target if unpacks else _inside(target, posixpath.basename(name), into)
            entries.append(WrittenPath(place, step, "file" if unpacks else "context", name))
            continue
        root = "" if name == "." else name + "/"
        for path in sorted(paths):
            if path.startswith(root) and path.split("/")[0] not in _HIDDEN:
                entries.append(WrittenPath(_inside(target, path[len(root) :], True), step, "context", path, "nested"))
    return entries


def _glob(path: str, glob: str) -> bool:
    parts, patterns = path.split("/"), glob.split("/")
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, pattern) for part, pattern in zip(parts, patterns, strict=True)
    )


def _inside(target: str, name: str, into: bool) -> str:
    return posixpath.normpath(target.rstrip("/") + "/" + name) if into else target


def is_scratch(path: str) -> bool:
    """Whether a path is where nothing is kept."""
    return any(covers(place, path) for place in SCRATCH)
