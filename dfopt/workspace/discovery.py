"""From paths to Dockerfiles: a walk in a fixed order that streams what it finds.

A file given by name is always taken; a build definition (Compose, bake ...) stands for the Dockerfiles that it names.
A directory is searched for Dockerfile, Dockerfile.*, *.Dockerfile and the same of Containerfile, in any case; not for
templates of one, nor for what editors leave behind. .gitignore files count (nested, with negation, those above the
directory up to the root of its repository too); so do exclude patterns, of the caller and of the configuration in force
in each directory. Symbolic links to directories are not followed; one to a file counts where it stays inside the
directory that was given.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

from dfopt.files import is_inside, tree_of
from dfopt.workspace import config
from dfopt.workspace.ignore import Rules, rules_above, rules_of
from dfopt.workspace.paths import VERSION_CONTROL, display_name
from dfopt.workspace.paths import InputFile as InputFile
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.workspace.config import ConfigLookup

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
# build definitions: what their names end in, and names
_DEFINITIONS = (".yml", ".yaml", ".hcl", ".json", ".sh", ".mk")
_MAKEFILES = ("makefile", "gnumakefile")


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name (no directory) is taken when a directory is searched."""
    low = name.lower()
    if low in _WORDS:
        return True
    if low.endswith(_OTHERS) or low[0] == "#" or (name[0].islower() and low.endswith(_SOURCES)):
        return False
    return low.startswith(_HEADS) or low.endswith(_TAILS)


def may_define(name: str) -> bool:
    """Whether a file of this name (no directory) can be a build definition (`build_definitions.formats` decides)."""
    low = name.lower()
    return (low.endswith(_DEFINITIONS) or low in _MAKEFILES) and not is_dockerfile(name)


def discover(
    paths: Iterable[str],
    lookup: ConfigLookup,
    *,
    exclude: tuple[str, ...] = (),
    ignore_files: bool = True,
    hosts: tuple[str, ...] = (),
) -> Iterator[InputFile]:
    """The files that `paths` (files and directories) stand for, each once, in the order of `paths` and of names.

    `exclude` are .gitignore patterns relative to the working directory; `ignore_files=False` reads no .gitignore.
    `hosts`: kinds of other files to take, too (`dfopt.workspace.embedded_kinds`).
    """
    requested = list(paths)
    walk = _Walk(lookup, exclude, ignore_files, hosts)
    yielded: set[str] | None = set() if len(requested) > 1 else None
    for path in requested:
        for file in walk.start(path):
            if yielded is not None and not file.error:
                real = os.path.realpath(file.path)
                if real in yielded:
                    continue
                yielded.add(real)
            yield file


class _Walk:
    def __init__(
        self, lookup: ConfigLookup, exclude: tuple[str, ...], ignore_files: bool, hosts: tuple[str, ...] = ()
    ) -> None:
        self.lookup = lookup
        self.hosts = hosts
        self.exclude = Rules(os.getcwd(), exclude) if exclude else None
        self.ignore_files = ignore_files
        self.links: set[str] = set()

    def start(self, path: str) -> Iterator[InputFile]:
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as failure:
            yield _failed(path, failure)
            return
        if not S_ISDIR(mode):
            if may_define(os.path.basename(path)):
                from dfopt.workspace.definitions import files_of_definition

                files = files_of_definition(path, self.hosts)
                if files is not None:
                    yield from files
                    return
            yield InputFile(path, display_name(path), tree_of(path))
            return
        top = os.path.abspath(path)
        ignored: list[Rules] = []
        if self.ignore_files:
            ignored = rules_above(top)
            if _decide(ignored, top, True):  # asked for by name: what is ignored as a whole is searched all the same
                ignored = []
        # a directory that is a link out of the tree is searched, and not written to
        root = os.path.realpath(top) if is_inside(top, tree_of(path)) else tree_of(path)
        yield from self._directory(path, top, root, ignored, self._excludes(top))

    def _excludes(self, directory: str) -> list[Rules]:
        """The exclude rules in force. A configuration that cannot be used has none: every file below will say so."""
        fixed = [self.exclude] if self.exclude else []
        try:
            excludes = self.lookup.directory(directory).exclude
        except ConfigError:
            return fixed
        return [*(Rules(base, patterns) for base, patterns in excludes), *fixed]

    def _directory(
        self, path: str, absolute: str, top: str, ignored: list[Rules], excluded: list[Rules]
    ) -> Iterator[InputFile]:
        """Depth first, names in order; a list of open directories instead of recursion."""
        stack: list[Iterator[tuple[str, str, list[Rules], list[Rules], os.DirEntry[str]]]] = []

        def opened(path: str, absolute: str, ignored: list[Rules], excluded: list[Rules]) -> InputFile | None:
            try:
                with os.scandir(path) as listing:
                    entries = list(listing)
            except OSError as failure:
                return _failed(path, failure)
            names = {entry.name for entry in entries}
            entries = sorted(
                [entry for entry in entries if self._relevant(entry, absolute)], key=lambda entry: entry.name
            )
            if self.ignore_files and ".gitignore" in names:
                here = rules_of(absolute)
                ignored = [*ignored, here] if here else ignored
            if stack and not names.isdisjoint(config.NAMES):
                excluded = self._excludes(absolute)
            stack.append(iter([(path, absolute, ignored, excluded, entry) for entry in entries]))
            return None

        problem = opened(path, absolute, ignored, excluded)
        if problem:
            yield problem
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                continue
            path, absolute, ignored, excluded, entry = step
            inner, inner_absolute = os.path.join(path, entry.name), os.path.join(absolute, entry.name)
            is_directory = entry.is_dir(follow_symlinks=False)
            if _decide(ignored, inner_absolute, is_directory) or _decide(excluded, inner_absolute, is_directory):
                continue
            if is_directory:
                problem = opened(inner, inner_absolute, ignored, excluded)
                if problem:
                    yield problem
            elif self._is_file(entry, inner_absolute, top):
                yield InputFile(inner, display_name(inner), top)

    def _relevant(self, entry: os.DirEntry[str], directory: str) -> bool:
        if is_dockerfile(entry.name):
            return True
        if entry.is_dir(follow_symlinks=False):
            return entry.name not in VERSION_CONTROL
        if not self.hosts:
            return False
        from dfopt.workspace.embedded_kinds import kind_of

        return kind_of(f"{directory.replace(os.sep, '/')}/{entry.name}", self.hosts) is not None

    def _is_file(self, entry: os.DirEntry[str], absolute: str, top: str) -> bool:
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        target = os.path.realpath(absolute)
        if not target.startswith(os.path.join(top, "")) or target in self.links:
            return False
        if is_dockerfile(os.path.basename(target)):
            return False  # it is found under its own name
        try:
            if not S_ISREG(os.stat(target).st_mode):
                return False
        except OSError:
            return False
        self.links.add(target)
        return True


def _decide(rules: list[Rules], absolute: str, is_directory: bool) -> bool:
    """Whether the path is left out: the innermost rules that say anything decide."""
    for rules_of_directory in reversed(rules):
        decision = rules_of_directory.decide(absolute, is_directory)
        if decision is not None:
            return decision
    return False


def _failed(path: str, failure: Exception) -> InputFile:
    text = failure.strerror if isinstance(failure, OSError) else str(failure)
    return InputFile(path, display_name(path), "", text or str(failure))
