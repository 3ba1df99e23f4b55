"""Files to read: how their paths are shown, and where their repository begins."""

from __future__ import annotations

import os

from dfopt.files import tree_of
from dfopt.record import Record

_WORDS = ("dockerfile", "containerfile")
_HEADS = tuple(word + "." for word in _WORDS)
_TAILS = tuple("." + word for word in _WORDS)
# what editors, patch and docker put beside a Dockerfile; texts about one; and what one is generated from
_OTHERS = (
    ".dockerignore", "~", ".swp", ".swo", ".swn", ".bak", ".orig", ".rej", ".patch", ".diff", ".tmp", ".save",
    ".md", ".rst", ".adoc", ".html",
    ".j2", ".jinja", ".jinja2", ".tmpl", ".gotmpl", ".tpl", ".template", ".erb", ".ejs", ".mustache", ".hbs", ".m4",
    ".in", ".json", ".yml", ".yaml", ".xml", ".lock", ".log",
)  # fmt: skip
# sources about Dockerfiles; `Dockerfile.go` with a capital is one for Go as often
_SOURCES = (
    ".go", ".py", ".pyi", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".rs", ".java", ".kt", ".rb", ".php", ".c",
    ".cc", ".cpp", ".h", ".cs", ".swift", ".lua", ".vim", ".el", ".scala", ".snap",
)  # fmt: skip
VERSION_CONTROL = frozenset((".git", ".hg", ".svn", ".jj"))


class InputFile(Record):
    """A file to read.

    path      for the file system
    name      to show: relative to the working directory where it lies below it, "/" between its parts
    root      the directory that a link must not lead out of
    error     why there is nothing to read (no such file, a directory that cannot be listed), else ""
    context   the build context, where a build definition states it
    place     line and column (from 1) of the error; (0, 0) for none
    embedded  of a build definition that holds Dockerfiles: its format, else ""
    unknown   of a build definition: line, column, what is not known, and why
    """

    path: str
    name: str
    root: str
    error: str = ""
    context: str | None = None
    place: tuple[int, int] = (0, 0)
    embedded: str = ""
    unknown: tuple[tuple[int, int, str, str], ...] = ()


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name (no directory) is taken when a directory is searched."""
    low = name.lower()
    if low in _WORDS:
        return True
    if low.endswith(_OTHERS) or low[0] == "#" or (name[0].islower() and low.endswith(_SOURCES)):
        return False
    return low.startswith(_HEADS) or low.endswith(_TAILS)


def display_name(path: str) -> str:
    """How a path is shown: relative to the working directory where it lies below it, "/" between its parts."""
    if os.path.isabs(path):
        here = os.path.join(os.getcwd(), "")
        if path.startswith(here):
            path = path[len(here) :]
    name = path.replace(os.sep, "/") if os.sep != "/" else path
    if ".." not in name:  # after a link, x/.. need not be where x is
        name = os.path.normpath(path).replace(os.sep, "/")
    return name


def bound_of(file: str) -> str:
    """The directory that all must lie in that a file names: the root of its repository; without one, the tree that the
    file's own name lies in (`tree_of`)."""
    directory = os.path.dirname(os.path.abspath(file))
    directories = above_in_repository(directory)
    return tree_of(file) if directories is None else directories[-1] if directories else directory


def above(directory: str) -> list[str]:
    """The directories above one, the nearest first."""
    parents: list[str] = []
    while (parent := os.path.dirname(directory)) != directory:
        parents.append(parent)
        directory = parent
    return parents


def above_in_repository(directory: str) -> list[str] | None:
    """The directories above one up to the root of its git repository, the nearest first; none where it is the root
    itself. None outside of a repository."""
    places = [directory, *above(directory)]
    for index, place in enumerate(places):
        if os.path.lexists(os.path.join(place, ".git")):
            return places[1 : index + 1]
    return None
